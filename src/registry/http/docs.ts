/** The API docs: the OpenAPI document and Swagger UI. */
/// <reference path="./assets.d.ts" />
import { resolve } from "node:path";
import { Elysia, type InternalRoute } from "elysia";
import style from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import script from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import { REGISTRY_PATHS } from "../../core/protocol.ts";
import type { Counted } from "./counted.ts";

/**
 * `/swagger` and its assets, all served from here, because registries run on networks without internet access.
 * @param counted counts the responses
 * @param routes returns the routes of the API, once all are defined
 */
export function docs(counted: Counted, routes: () => InternalRoute[]) {
  const base = REGISTRY_PATHS.docs;
  let document: Promise<unknown> | undefined;
  const assets = {
    "": ({ request }: { request: Request }) =>
      page(pageAt(request.url.endsWith("/") ? "" : `${base.slice(1)}/`), "text/html; charset=utf-8"),
    "/json": () => (document ??= describe(routes())),
    "/start.js": () => page(START, "text/javascript; charset=utf-8"),
    "/swagger-ui.js": () => page(asset(script), "text/javascript; charset=utf-8"),
    "/swagger-ui.css": () => page(asset(style), "text/css; charset=utf-8"),
  };
  const app = new Elysia({ name: "docs" });
  for (const [path, serve] of Object.entries(assets))
    app.get(`${base}${path}`, counted("docs", serve), { detail: { hide: true } });
  return app;
}

/** Made on the first request, because the generator takes 50 ms and 10 MB to load. */
async function describe(routes: InternalRoute[]): Promise<unknown> {
  const { makeDocument } = await import("./openapi.ts");
  return makeDocument(routes);
}

/** The page, with relative links, because a proxy may add a path prefix. @param folder the path of its files */
function pageAt(folder: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Talk registry</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${folder}swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="${folder}swagger-ui.js"></script>
<script src="${folder}start.js"></script>
</body>
</html>
`;
}

const START = `const url = new URL("json", document.currentScript.src).href;
SwaggerUIBundle({ url, dom_id: "#swagger-ui", deepLinking: true });
`;

/** An imported file: its path is absolute from source and in the binary, relative in the bundle. */
function asset(path: string): Blob {
  return Bun.file(resolve(import.meta.dir, path));
}

function page(body: string | Blob, type: string): Response {
  return new Response(body, {
    headers: {
      "content-type": type,
      // Swagger UI needs inline styles and data: images; everything else is same-origin.
      "content-security-policy":
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
    },
  });
}
