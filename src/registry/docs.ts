/** The API's own documentation: what each operation says of itself, the OpenAPI document, and Swagger UI. */
/// <reference path="./assets.d.ts" />
import { swagger } from "@elysiajs/swagger";
import { Elysia } from "elysia";
import style from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import script from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import manifest from "../../package.json" with { type: "json" };
import { NameTaken, NotJson, StoreUnavailable, TooLarge, TooManyUsers, UnknownUser } from "../core/errors.ts";
import { OK } from "../core/http.ts";
import { MAX_BODY_BYTES, REGISTRY_PATHS } from "../core/protocol.ts";
import { Address, Failure, Ok, UserName } from "../core/schemas.ts";

const BOB: Address = { protocol: "UDP", host: "10.0.0.5", port: 3000 };

const ok = answer("Done.", "Ok", OK);

const refusals = {
  400: refusal("A rule for names or addresses is broken; the message says which.", {
    message: '"address.port" must be a whole number from 1 to 65535.',
  }),
  413: refusal("The body is over 64 KiB.", new TooLarge("The body", MAX_BODY_BYTES)),
  415: refusal("The body is not `application/json`.", new NotJson()),
};

/** What only a request for a new user meets. */
const limits = {
  429: {
    ...refusal(
      "Too many users were registered from this address; this machine itself has no limit.",
      new TooManyUsers(1),
    ),
    headers: {
      "Retry-After": { description: "Seconds to wait.", schema: { type: "integer" as const }, example: 1 },
    },
  },
};

const down = {
  503: refusal("The store does not answer now.", new StoreUnavailable("The store cannot be written now.")),
};

const userParameter = {
  name: "user",
  in: "path" as const,
  required: true,
  description: "The user's name.",
  schema: UserName,
  example: "bob",
};

/** The documentation of each route, as Elysia takes it in `detail`. */
export const operations = {
  health: {
    operationId: "health",
    tags: ["registry"],
    summary: "Whether the registry is up",
    description:
      "Answers as long as the registry runs; also what other registries and load balancers may ask.",
    responses: { 200: answer("It is up.", "Ok", OK) },
  },
  list: {
    operationId: "listUsers",
    tags: ["users"],
    summary: "All users and where they listen",
    description:
      "An object with a key per user. `/v1/users/` is the same. With `If-None-Match`, an unchanged list costs a 304.",
    parameters: [
      {
        name: "If-None-Match",
        in: "header" as const,
        required: false,
        description: "The `ETag` of the list that is already known.",
        schema: { type: "string" as const },
        example: '"2jmj7l5rSw0yVb_vlWAYkK"',
      },
    ],
    responses: {
      200: {
        ...answer("The users.", "Users", { bob: BOB }),
        headers: {
          ETag: {
            description: "Stands for exactly this list.",
            schema: { type: "string" as const },
            example: '"2jmj7l5rSw0yVb_vlWAYkK"',
          },
        },
      },
      304: { description: "The list is the one named in `If-None-Match`." },
      ...down,
    },
  },
  create: {
    operationId: "createUser",
    tags: ["users"],
    summary: "Register a new user",
    description:
      "Fails if the name is taken. A missing port means the protocol's default (8080, 8082, 3000); an unspecified host (`0.0.0.0`, `::`) becomes the address that the request came from.",
    responses: {
      200: ok,
      409: refusal("The name is taken.", new NameTaken()),
      ...refusals,
      ...limits,
      ...down,
    },
  },
  read: {
    operationId: "readUser",
    tags: ["users"],
    summary: "Where one user listens",
    description: "The address of one user.",
    parameters: [userParameter],
    responses: {
      200: answer("The address.", "Address", BOB),
      404: refusal("There is no such user.", new UnknownUser()),
      ...down,
    },
  },
  put: {
    operationId: "putUser",
    tags: ["users"],
    summary: "Register or move a user",
    description:
      "Creates the user if it is missing, else replaces its address. Hosts and ports are read as for POST.",
    parameters: [userParameter],
    responses: { 200: ok, ...refusals, ...limits, ...down },
  },
  remove: {
    operationId: "removeUser",
    tags: ["users"],
    summary: "Remove a user",
    description: "Answers the same whether or not there was such a user.",
    parameters: [userParameter],
    responses: { 200: ok, ...down },
  },
};

/** `/swagger` and what it needs, from this machine alone: registries run on networks without a way out. */
export function docs() {
  const base = REGISTRY_PATHS.docs;
  const assets = {
    "": () => page(PAGE, "text/html; charset=utf-8"),
    "/start.js": () => page(START, "text/javascript; charset=utf-8"),
    "/swagger-ui.js": () => page(Bun.file(script), "text/javascript; charset=utf-8"),
    "/swagger-ui.css": () => page(Bun.file(style), "text/css; charset=utf-8"),
  };
  // The plugin makes the document. Its own page loads Swagger UI from another host, so ours takes its place.
  const app = new Elysia({ name: "docs" }).use(
    swagger({ path: base, exclude: [new RegExp(`^${base}`)], documentation }),
  );
  for (const [path, serve] of Object.entries(assets))
    app.get(`${base}${path}`, serve, { detail: { hide: true } });
  return app;
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
        examples: [{ bob: BOB }],
      },
      Ok,
      Failure,
    },
  },
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Talk registry</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${REGISTRY_PATHS.docs}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="${REGISTRY_PATHS.docs}/swagger-ui.js"></script>
<script src="${REGISTRY_PATHS.docs}/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: "${REGISTRY_PATHS.docs}/json", dom_id: "#swagger-ui", deepLinking: true });\n`;

function page(body: string | Blob, type: string): Response {
  return new Response(body, {
    headers: {
      "content-type": type,
      // Swagger UI sets styles and data: images itself; everything else comes from here, and goes here.
      "content-security-policy":
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
    },
  });
}

function answer(description: string, schema: string, example: unknown) {
  return {
    description,
    content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` }, example } },
  };
}

function refusal(description: string, { message }: { message: string }) {
  return answer(description, "Failure", { status: "error", message });
}
