/** HTTP as the registry and a client's HTTP side share it: bounded JSON bodies in, errors out, and how long to wait. */
import {
  EncodedBody,
  InvalidInput,
  MethodNotAllowed,
  NameTaken,
  NotJson,
  TalkError,
  TooLarge,
} from "./errors.ts";
import { MAX_BODY_BYTES } from "./protocol.ts";

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
  "too-many-streams": 429,
  "registry-full": 503,
  "streams-full": 503,
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

/** A media type in any case, with parameters or without (RFC 9110 §8.3.1). */
const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** Refuses what is no UTF-8, where the usual way would put U+FFFD. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

const NOT_JSON = "The input must be JSON in UTF-8.";

type BodyReader = (body: Request | Response) => Promise<unknown>;

/**
 * The JSON body of a request, of at most 64 KiB and only as `application/json`, which no web page can post
 * to another origin unasked.
 * @param read `strictly` or `leniently`
 * @throws NotJson, EncodedBody, TooLarge, InvalidInput
 */
export async function readJson(request: Request, read: BodyReader): Promise<unknown> {
  const { headers } = request;
  if (!JSON_TYPE.test(headers.get("content-type") ?? "")) throw new NotJson();
  const encoding = headers.get("content-encoding") ?? "";
  if (encoding !== "" && encoding.trim().toLowerCase() !== "identity") throw new EncodedBody();
  const length = headers.get("content-length");
  if (length !== null && Number(length) > MAX_BODY_BYTES) throw new TooLarge("The body", MAX_BODY_BYTES);
  try {
    return await read(
      length === null ? new Response(await readAtMost(request.body, MAX_BODY_BYTES)) : request,
    );
  } catch (error) {
    if (error instanceof SyntaxError) throw new InvalidInput(NOT_JSON);
    // Who goes away in the middle of a body has sent a bad one; no fault of ours.
    if (error instanceof Error && error.name === "AbortError")
      throw new InvalidInput("The body ended before it was whole.");
    throw error;
  }
}

/** Its JSON, with U+FFFD for bytes that are no UTF-8, as the web platform reads it; quicker, and enough where they fit no rule. */
export function leniently(body: Request | Response): Promise<unknown> {
  return body.json();
}

/** Its JSON; bytes that are no UTF-8 are refused, because a text would be changed unseen. */
export async function strictly(body: Request | Response): Promise<unknown> {
  return parseJson(await body.bytes());
}

/** JSON, in UTF-8 where it is bytes. @throws InvalidInput */
export function parseJson(input: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof input === "string" ? input : UTF8.decode(input));
  } catch {
    throw new InvalidInput(NOT_JSON);
  }
}

/** A body that tells its size only as it comes, because it is chunked or compressed. @throws TooLarge over so many bytes */
export async function readAtMost(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw new TooLarge("The body", limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The reason of a WebSocket's close, which is all that a close has room for. @param ms rounded up to seconds */
export function closeReason(ms: number): string {
  return `Retry-After: ${Math.ceil(ms / 1000)}`;
}

/** The milliseconds in the reason of a close; undefined for words of any other kind. */
export function readCloseReason(reason: string): number | undefined {
  const [, text] = /^Retry-After: (.*)$/s.exec(reason) ?? [];
  return readRetryAfter(text);
}

/** The milliseconds in the header's value; undefined without one, and for a date, which no Talk program sends. */
export function readRetryAfter(text: string | null | undefined): number | undefined {
  return /^\d{1,6}$/.test(text ?? "") ? Number(text) * 1000 : undefined;
}
