/** How the registry and a client's HTTP side answer alike, errors included. */
import { MethodNotAllowed, NameTaken, TalkError } from "./errors.ts";

const STATUS: Record<string, number> = {
  invalid: 400,
  unauthorized: 401,
  "not-owner": 403,
  "foreign-origin": 403,
  "foreign-host": 403,
  "unknown-path": 404,
  "unknown-user": 404,
  "method-not-allowed": 405,
  "name-taken": 409,
  "too-large": 413,
  "not-json": 415,
  "encoded-body": 415,
  "upgrade-required": 426,
  "too-fast": 429,
  "too-many-users": 429,
  "asked-too-soon": 429,
  "registry-full": 503,
  "store-unavailable": 503,
};

/** The answer to everything that went well and has nothing else to say. */
export const OK = { status: "ok" } as const;

/** An error as an HTTP answer, as every Talk listener gives it. */
export function failure(error: TalkError): Response {
  const headers = new Headers();
  if (error instanceof MethodNotAllowed) headers.set("Allow", error.allowed.join(", "));
  if (error.code === "unauthorized") headers.set("WWW-Authenticate", "Bearer");
  // Says that it was the encoding and not the type (RFC 9110 §15.5.16).
  if (error.code === "encoded-body") headers.set("Accept-Encoding", "identity");
  if ("retryAfter" in error) headers.set("Retry-After", String(error.retryAfter));
  if (error.code === "upgrade-required") headers.set("Upgrade", "websocket");
  return Response.json(failureBody(error), { status: STATUS[error.code] ?? 500, headers });
}

/** The same for whatever a handler threw. @throws what is no TalkError: a fault of ours, which shall be seen */
export function failureOf(error: unknown): Response {
  if (error instanceof TalkError) return failure(error);
  throw error;
}

/** The body of that answer, which is also what a WebSocket listener says of a bad frame. */
export function failureBody(error: TalkError): { status: "error"; message: string; owner?: "you" } {
  const owner = error instanceof NameTaken && error.owner;
  return { status: "error", message: error.message, ...(owner && { owner }) };
}

/** The path of a request, also where a broken `Host` left no URL. */
export function pathOf({ url }: Request): string {
  return URL.parse(url, "http://host")?.pathname ?? "/";
}
