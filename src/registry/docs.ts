/** The API's own documentation: the OpenAPI document, and Swagger UI. */
/// <reference path="./assets.d.ts" />
import { swagger } from "@elysiajs/swagger";
import { Elysia } from "elysia";
import style from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import script from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import manifest from "../../package.json" with { type: "json" };
import { REGISTRY_PATHS } from "../core/protocol.ts";
import { Address, Failure, Ok, Taken } from "../core/schemas.ts";

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
        examples: [{ bob: { protocol: "UDP", host: "10.0.0.5", port: 3000 } }],
      },
      Ok,
      Failure,
      Taken,
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
