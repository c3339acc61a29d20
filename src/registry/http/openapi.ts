import { swagger } from "@elysiajs/swagger";
import { Elysia, type InternalRoute } from "elysia";
import manifest from "../../../package.json" with { type: "json" };
import { HOST_NAME } from "../../core/names.ts";
import { REGISTRY_PATHS } from "../../core/protocol.ts";
import {
  About,
  Address,
  Failure,
  Ok,
  Port,
  Protocol,
  Reached,
  Registration,
  ruleOf,
  Taken,
  UserName,
} from "../../core/schemas.ts";

/** The OpenAPI document for some routes. */
export async function makeDocument(routes: InternalRoute[]): Promise<unknown> {
  const base = REGISTRY_PATHS.docs;
  const app = new Elysia().use(swagger({ path: base, exclude: [new RegExp(`^${base}`)], documentation }));
  for (const { method, path, hooks } of routes) {
    if (!hooks.detail?.hide) app.route(method, path, () => {}, hooks);
  }
  return (await app.handle(new Request(`http://localhost${base}/json`))).json();
}

const EXAMPLE = { protocol: "UDP", host: "10.0.0.5", port: 3000 };

/**
 * A host as one string, because code generators handle `anyOf` badly. The pattern admits all three kinds and compiles in
 * Go and Rust; registrations are checked in full.
 */
const HOST = {
  type: "string" as const,
  pattern: "^[a-zA-Z0-9_.:-]{1,253}$",
  description: HOST_NAME.rule,
  examples: [EXAMPLE.host],
};

/** The schema of an address, in requests or responses. Uses named types, or generators would make a type per use. */
function addressOf(required: string[], description: string) {
  return {
    type: "object" as const,
    description,
    required,
    properties: { protocol: { $ref: "#/components/schemas/Protocol" }, host: HOST, port: Port },
    examples: [EXAMPLE],
  };
}

const documentation = {
  openapi: "3.1.0",
  info: {
    title: "Talk registry",
    version: manifest.version,
    description: "Knows where each user listens. Messages go directly from client to client.",
    license: { name: manifest.license, identifier: manifest.license },
  },
  // Relative to the document's own URL, so it holds behind any proxy prefix.
  servers: [{ url: "..", description: "This registry" }],
  security: [],
  tags: [
    { name: "users", description: "Who is registered, and at which address" },
    { name: "registry", description: "The registry itself" },
  ],
  components: {
    schemas: mutable(schemas()),
    securitySchemes: {
      owner: {
        type: "http" as const,
        scheme: "bearer",
        description:
          "A secret of your choice, ideally 256 random bits. Whoever registers a name with it owns the name.",
      },
    },
  },
};

function schemas() {
  return {
    Protocol,
    Address: addressOf(["protocol", "host", "port"], ruleOf(Address)),
    NewAddress: addressOf(
      ["protocol", "host"],
      "An address to register; the port defaults to the protocol's (8080, 8082, 3000).",
    ),
    Registration: {
      type: "object" as const,
      description: ruleOf(Registration),
      required: ["user", "address"],
      properties: { user: UserName, address: { $ref: "#/components/schemas/NewAddress" } },
      examples: [{ user: "bob", address: EXAMPLE }],
    },
    Users: {
      type: "object" as const,
      description: "A key per user.",
      additionalProperties: { $ref: "#/components/schemas/Address" },
      examples: [{ bob: EXAMPLE }],
    },
    About,
    Ok,
    Failure,
    Taken,
    Reached,
  };
}

/** A mutable copy, as the plugin's types require; our schemas are readonly. */
function mutable(value: object) {
  return JSON.parse(JSON.stringify(value));
}
