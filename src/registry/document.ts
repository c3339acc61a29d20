import { swagger } from "@elysiajs/swagger";
import { Elysia, type InternalRoute } from "elysia";
import manifest from "../../package.json" with { type: "json" };
import { REGISTRY_PATHS } from "../core/protocol.ts";
import { Address, Failure, Ok, Reached, Taken } from "../core/schemas.ts";

/** The OpenAPI document of some routes. */
export async function makeDocument(routes: InternalRoute[]): Promise<unknown> {
  const base = REGISTRY_PATHS.docs;
  const app = new Elysia().use(swagger({ path: base, exclude: [new RegExp(`^${base}`)], documentation }));
  for (const { method, path, hooks } of routes) {
    if (!hooks.detail?.hide) app.route(method, path, () => {}, hooks);
  }
  return (await app.handle(new Request(`http://localhost${base}/json`))).json();
}

const documentation = {
  openapi: "3.1.0",
  info: {
    title: "Talk registry",
    version: manifest.version,
    description: "Knows where each user listens. The messages themselves go straight from client to client.",
    license: { name: manifest.license, identifier: manifest.license },
  },
  servers: [{ url: "/", description: "This registry" }],
  security: [],
  tags: [
    { name: "users", description: "Who is there, and where" },
    { name: "registry", description: "The registry itself" },
  ],
  components: {
    schemas: {
      Address,
      Users: {
        type: "object" as const,
        description: "A key per user.",
        additionalProperties: { $ref: "#/components/schemas/Address" },
        examples: [{ bob: { protocol: "UDP", host: "10.0.0.5", port: 3000 } }],
      },
      Ok,
      Failure,
      Taken,
      Reached,
    },
    securitySchemes: {
      owner: {
        type: "http" as const,
        scheme: "bearer",
        description: "A secret of your own choice, best of 256 random bits, with which a name becomes yours.",
      },
    },
  },
};
