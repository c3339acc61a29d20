/** The page at `/`, which shows who is here. Rendered in the browser from the event stream. */
/// <reference path="../assets.d.ts" />
import { Elysia } from "elysia";
import manifest from "../../../../package.json" with { type: "json" };
import { REGISTRY_PATHS } from "../../../core/protocol.ts";
import type { MaybePromise } from "../../maybe-promise.ts";
import type { Counted } from "../counted.ts";
import style from "./home.css" with { type: "text" };
import html from "./home.htm" with { type: "text" };
import script from "./home.js" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };

/** The page's files, loaded by relative links, so that it works behind any path prefix. */
const FILES = {
  "home.css": [style, "text/css; charset=utf-8"],
  "home.js": [script, "text/javascript; charset=utf-8"],
  "icon.svg": [icon, "image/svg+xml"],
} as const;

const HEADERS = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  // A new version of the registry may have a new page.
  "cache-control": "no-cache",
};

/**
 * @param counted counts the responses
 * @param countUsers the number of users, for programs that request `/`
 */
export function pages(
  counted: Counted,
  countUsers: () => MaybePromise<number>,
  detail: { operationId: string },
) {
  const app = new Elysia({ name: "pages" }).get(
    "/",
    counted(detail.operationId, async ({ request }) => {
      if (wantsHtml(request.headers.get("accept") ?? "")) return file(html, "text/html; charset=utf-8");
      const users = await countUsers();
      const about = { name: manifest.name, version: manifest.version, users, docs: REGISTRY_PATHS.docs };
      return Response.json(about, { headers: { vary: "accept" } });
    }),
    { detail },
  );
  for (const [name, [text, type]] of Object.entries(FILES)) {
    app.get(
      `/page/${name}`,
      counted("page", () => file(text, type)),
      { detail: { hide: true } },
    );
  }
  return app;
}

/** Whether HTML is accepted by name, no less than JSON (RFC 9110 §12.5.1). Programs that accept anything get JSON. */
function wantsHtml(accept: string): boolean {
  return (
    quality(accept, "text/html") > 0 && quality(accept, "text/html") >= quality(accept, "application/json")
  );
}

function quality(accept: string, type: string): number {
  for (const range of accept.split(",")) {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    if (name !== type) continue;
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0;
  }
  return 0;
}

function file(text: string, type: string): Response {
  return new Response(text, { headers: { ...HEADERS, "content-type": type, vary: "accept" } });
}
