/**
 * The schemas of the wire protocol. They validate the registry's requests and the messages on all three protocols, and
 * make the OpenAPI document. A `description` completes a sentence that begins "must be", because errors quote it.
 */
import type { Static } from "typebox";
import type { Validator, XSchema } from "typebox/schema";
import { InvalidInput } from "./errors.ts";
import { HOST_NAME, USER_NAME } from "./names.ts";
import { isProtocol, PROTOCOLS } from "./protocol.ts";

/** A JSON Schema that can validate values from outside. */
export type Checked<S extends XSchema> = S & { readonly [CHECK]: (value: unknown) => Static<S> };

/** A symbol, so that the validator does not appear in the OpenAPI document. */
const CHECK: unique symbol = Symbol("check");

/** Validates a value against a schema. @throws InvalidInput with a sentence that names the first broken rule */
export function parse<S extends XSchema & object>(schema: Checked<S>, value: unknown): Static<S> {
  return schema[CHECK](value);
}

/** How many values are checked before a schema is compiled, which takes as long as the first 30 checks. */
const CHECKS_UNCOMPILED = 10;

/** A function that checks values against a schema. */
export function checkerOf<const S extends XSchema>(schema: S): (value: unknown) => value is Static<S> {
  let checks = 0;
  let compiled: Validator<S> | undefined;
  return (value): value is Static<S> => {
    if (!compiled && checks++ < CHECKS_UNCOMPILED) return typebox().Check(schema, value);
    compiled ??= typebox().Compile(schema);
    return compiled.Check(value);
  };
}

/** Loads TypeBox at the first check, because it takes longer than the rest of a client's start. */
function typebox(): typeof import("./typebox.ts") {
  return require("./typebox.ts");
}

export const UserName = {
  type: "string",
  pattern: USER_NAME.pattern,
  description: USER_NAME.rule,
  examples: ["bob"],
} as const;
export type UserName = Static<typeof UserName>;

export const Protocol = {
  type: "string",
  enum: ["HTTP", "WEBSOCKET", "UDP"],
  description: "HTTP, WEBSOCKET or UDP",
  examples: ["UDP"],
} as const;
export type Protocol = Static<typeof Protocol>;

export const Host = {
  anyOf: [
    { type: "string", format: "ipv4" },
    { type: "string", format: "ipv6" },
    { type: "string", pattern: HOST_NAME.pattern },
  ],
  description: HOST_NAME.rule,
  examples: ["10.0.0.5"],
} as const;
export type Host = Static<typeof Host>;

export const Port = {
  type: "integer",
  minimum: 1,
  maximum: 65535,
  description: "a whole number from 1 to 65535",
  examples: [3000],
} as const;
export type Port = Static<typeof Port>;

export const Address = checked(
  {
    type: "object",
    required: ["protocol", "host", "port"],
    properties: { protocol: Protocol, host: Host, port: Port },
    description: 'an address: {"protocol": …, "host": …, "port": …}',
    examples: [{ protocol: "UDP", host: "10.0.0.5", port: 3000 }],
  },
  tolerateAddress,
);
export type Address = Static<typeof Address>;

export const Registration = checked(
  {
    type: "object",
    required: ["user", "address"],
    properties: { user: UserName, address: Address },
    description: 'a user and its address: {"user": …, "address": {…}}',
    examples: [{ user: "bob", address: { protocol: "UDP", host: "10.0.0.5", port: 3000 } }],
  },
  (value) =>
    isRecord(value) ? { user: value.user ?? value.name, address: tolerateAddress(value.address) } : value,
);
export type Registration = Static<typeof Registration>;

export const UserParams = checked({ type: "object", required: ["user"], properties: { user: UserName } });

export const Message = checked({
  type: "object",
  required: ["user", "text"],
  properties: {
    user: UserName,
    text: { type: "string", description: "a string, which may be empty", examples: ["hello"] },
  },
  additionalProperties: false,
  description: 'a message: {"user": …, "text": …} and nothing else',
});
export type Message = Static<typeof Message>;

export const Ok = {
  type: "object",
  required: ["status"],
  properties: { status: { type: "string", const: "ok", examples: ["ok"], description: '"ok"' } },
} as const;

/** The registry's description of itself. */
export const About = {
  type: "object",
  required: ["name", "version", "users", "docs"],
  properties: {
    name: { type: "string", const: "talk", examples: ["talk"], description: '"talk"' },
    version: { type: "string", examples: ["0.1.0"], description: "the running version" },
    users: { type: "integer", minimum: 0, examples: [1], description: "how many users are registered" },
    docs: { type: "string", examples: ["/swagger"], description: "the path of the API docs" },
  },
} as const;

export const Failure = {
  type: "object",
  required: ["status", "message"],
  properties: {
    status: { type: "string", const: "error", examples: ["error"], description: '"error"' },
    message: {
      type: "string",
      description: "one sentence that says what to do",
      examples: ["This name is taken; choose another, or move the user with PUT."],
    },
  },
} as const;

/** The refusal of a name that is already registered. */
export const Taken = {
  ...Failure,
  properties: {
    ...Failure.properties,
    owner: {
      type: "string",
      const: "you",
      examples: ["you"],
      description: '"you", if you have shown the secret of the name',
    },
  },
} as const;

/** Whether the registry can reach a user. */
export const Reached = {
  type: "object",
  required: ["status", "reached", "reason"],
  properties: {
    ...Ok.properties,
    reached: { type: "string", enum: ["yes", "no"], description: "yes or no", examples: ["no"] },
    reason: { type: "string", description: "what was found", examples: ["no answer in 3 s"] },
    from: {
      type: "string",
      description: "the registry's address on the route to the user",
      examples: ["10.0.0.1"],
    },
  },
} as const;

/** What a schema requires, to follow "must be". */
export function ruleOf(schema: object): string {
  return "description" in schema ? String(schema.description) : "valid";
}

/** Whether a value is an object with fields, not null or an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Accepts what some peers send: the port as a decimal string, no port, and keys of their own. */
function tolerateAddress(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { protocol, host, port } = value;
  return { protocol, host, port: toleratePort(port, protocol) };
}

function toleratePort(port: unknown, protocol: unknown): unknown {
  if (port === undefined) return isProtocol(protocol) ? PROTOCOLS[protocol].defaultPort : undefined;
  if (typeof port === "string" && /^\d{1,5}$/.test(port)) return Number(port);
  return port;
}

/** @param tolerate normalizes what peers are known to send, before the schema validates it */
function checked<const S extends XSchema & object>(
  schema: S,
  tolerate: (value: unknown) => unknown = (value) => value,
): Checked<S> {
  const isValid = checkerOf(schema);
  return {
    ...schema,
    [CHECK](raw) {
      const value = tolerate(raw);
      if (isValid(value)) return value;
      const [, errors] = typebox().Errors(schema, value);
      throw new InvalidInput(sentence(schema, errors[0]));
    },
  };
}

/** The broken rule, in the words of the deepest schema on the error's path; never quotes the input. */
function sentence(schema: XSchema, error: { instancePath: string; params: object } | undefined): string {
  const missing = error && "requiredProperties" in error.params ? error.params.requiredProperties : undefined;
  const keys = error?.instancePath.split("/").slice(1) ?? [];
  if (Array.isArray(missing)) keys.push(String(missing[0]));
  const path: string[] = [];
  let rule: object = typeof schema === "object" ? schema : {};
  for (const key of keys) {
    const properties: unknown = "properties" in rule ? rule.properties : undefined;
    if (!isRecord(properties) || !Object.hasOwn(properties, key) || !isRecord(properties[key])) break;
    rule = properties[key];
    path.push(key);
  }
  const subject = path.length > 0 ? `"${path.join(".")}"` : "The input";
  return `${subject} must be ${ruleOf(rule)}.`;
}
