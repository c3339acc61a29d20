/**
 * What is said on the wire, once: the same schemas check the registry's routes, the messages on all three
 * protocols, and make the OpenAPI document. A `description` reads on from "must be", because errors say it.
 */
import Type, { type Static, type TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { InvalidInput } from "./errors.ts";
import { HOST_NAME, USER_NAME } from "./names.ts";
import { isProtocol, PROTOCOLS } from "./protocol.ts";

/**
 * A TypeBox schema that is also a Standard Schema (https://standardschema.dev), as Elysia takes them. Its
 * `validate` throws InvalidInput instead of returning issues: from issues Elysia makes an error that holds the
 * whole input, indented, and a deep one took it 10 s.
 */
export type StandardSchema<S extends TSchema> = S & {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: "typebox";
    readonly validate: (value: unknown) => { value: Static<S> };
    readonly types?: { readonly input: unknown; readonly output: Static<S> };
  };
};

/** The value as the schema describes it. @throws InvalidInput with a sentence that names the first broken rule */
export function parse<S extends TSchema>(schema: StandardSchema<S>, value: unknown): Static<S> {
  return schema["~standard"].validate(value).value;
}

export const UserName = Type.String({
  pattern: USER_NAME.pattern,
  description: USER_NAME.rule,
  examples: ["bob"],
});
export type UserName = Static<typeof UserName>;

export const Protocol = Type.Enum(["HTTP", "WEBSOCKET", "UDP"] satisfies (keyof typeof PROTOCOLS)[], {
  type: "string",
  description: "HTTP, WEBSOCKET or UDP",
  examples: ["UDP"],
});
export type Protocol = Static<typeof Protocol>;

export const Host = Type.Union(
  [
    Type.String({ format: "ipv4" }),
    Type.String({ format: "ipv6" }),
    Type.String({ pattern: HOST_NAME.pattern }),
  ],
  {
    description: HOST_NAME.rule,
    examples: ["10.0.0.5"],
  },
);
export type Host = Static<typeof Host>;

export const Port = Type.Integer({
  minimum: 1,
  maximum: 65535,
  description: "a whole number from 1 to 65535",
  examples: [3000],
});
export type Port = Static<typeof Port>;

export const Address = standard(
  Type.Object(
    { protocol: Protocol, host: Host, port: Port },
    {
      description: 'an address: {"protocol": …, "host": …, "port": …}',
      examples: [{ protocol: "UDP", host: "10.0.0.5", port: 3000 }],
    },
  ),
  tolerateAddress,
);
export type Address = Static<typeof Address>;

export const Registration = standard(
  Type.Object(
    { user: UserName, address: Address },
    {
      description: 'a user and its address: {"user": …, "address": {…}}',
      examples: [{ user: "bob", address: { protocol: "UDP", host: "10.0.0.5", port: 3000 } }],
    },
  ),
  (value) =>
    isRecord(value) ? { user: value.user ?? value.name, address: tolerateAddress(value.address) } : value,
);
export type Registration = Static<typeof Registration>;

export const UserParams = standard(Type.Object({ user: UserName }));

export const Message = standard(
  Type.Object(
    {
      user: UserName,
      text: Type.String({ description: "a text, which may be empty", examples: ["hello"] }),
    },
    { additionalProperties: false, description: 'a message: {"user": …, "text": …} and nothing else' },
  ),
);
export type Message = Static<typeof Message>;

export const Ok = Type.Object({ status: Type.Literal("ok", { examples: ["ok"], description: '"ok"' }) });

export const Failure = Type.Object({
  status: Type.Literal("error", { examples: ["error"], description: '"error"' }),
  message: Type.String({
    description: "one sentence that says what to do",
    examples: ["This name is taken; choose another, or move the user with PUT."],
  }),
});

/** The refusal of a name that is there already. */
export const Taken = Type.Object({
  ...Failure.properties,
  owner: Type.Optional(
    Type.Literal("you", {
      examples: ["you"],
      description: '"you", if you have shown the secret of the name',
    }),
  ),
});

/** Whether the registry reaches a user. */
export const Reached = Type.Object({
  ...Ok.properties,
  reached: Type.Enum(["yes", "no"], { type: "string", description: "yes or no", examples: ["no"] }),
  reason: Type.String({ description: "what was found", examples: ["no answer in 3 s"] }),
  from: Type.Optional(
    Type.String({ description: "the registry's address towards the user", examples: ["10.0.0.1"] }),
  ),
});

/** What a schema asks for, in words that read on from "must be". */
export function ruleOf(schema: TSchema): string {
  return "description" in schema ? String(schema.description) : "valid";
}

/** An object whose fields can be looked at. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Peers send the port as a decimal string or leave it out, and add keys of their own: all three are read. */
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

/** @param tolerate brings what peers are known to send into the schema's form, before the schema decides. */
function standard<S extends TSchema>(
  schema: S,
  tolerate: (value: unknown) => unknown = (value) => value,
): StandardSchema<S> {
  // Compiled at the first use: a client's --help needs none.
  let validator: Validator<Record<never, never>, S> | undefined;
  function validate(raw: unknown) {
    validator ??= Compile(schema);
    const value = tolerate(raw);
    if (validator.Check(value)) return { value };
    throw new InvalidInput(sentence(schema, validator.Errors(value)[0]));
  }
  // Not enumerable, so that the OpenAPI document shows the schema alone. The one cast: TypeScript cannot see a
  // property arrive through defineProperty.
  return Object.defineProperty(schema, "~standard", {
    value: { version: 1, vendor: "typebox", validate },
  }) as StandardSchema<S>;
}

/** The rule that an error broke, in the words of the deepest schema on its path; nothing of the input. */
function sentence(schema: TSchema, error: { instancePath: string; params: object } | undefined): string {
  const missing = error && "requiredProperties" in error.params ? error.params.requiredProperties : undefined;
  const keys = error?.instancePath.split("/").slice(1) ?? [];
  if (Array.isArray(missing)) keys.push(String(missing[0]));
  const path: string[] = [];
  let rule: TSchema = schema;
  for (const key of keys) {
    const properties: unknown = "properties" in rule ? rule.properties : undefined;
    if (!isRecord(properties) || !Object.hasOwn(properties, key) || !isRecord(properties[key])) break;
    rule = properties[key];
    path.push(key);
  }
  const subject = path.length > 0 ? `"${path.join(".")}"` : "The input";
  return `${subject} must be ${ruleOf(rule)}.`;
}
