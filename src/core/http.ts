/** HTTP shared by the registry and the client's listener: bounded JSON bodies in, errors out, and Retry-After. */
import { answerOf, InvalidInput, MethodNotAllowed, refused, TalkError } from "./errors.ts";
import { MAX_BODY_BYTES } from "./protocol.ts";

/** The response body of a request that succeeded and returns no data. */
export const OK = { status: "ok" } as const;

/** An error as an HTTP response, the same on every Talk listener. */
export function failure(error: TalkError): Response {
  const { status, headers } = answerOf(error);
  const answer = Response.json(failureBody(error), { status, headers });
  if (error instanceof MethodNotAllowed) answer.headers.set("Allow", error.allowed.join(", "));
  if (error.retryAfter !== undefined) answer.headers.set("Retry-After", String(error.retryAfter));
  return answer;
}

/** Like `failure`, for whatever a handler threw. Rethrows anything but a TalkError, so bugs surface. */
export function failureOf(error: unknown): Response {
  if (error instanceof TalkError) return failure(error);
  throw error;
}

/** The body of that response; a WebSocket listener sends the same in reply to a bad frame. */
export function failureBody(error: TalkError): { status: "error"; message: string; owner?: "you" } {
  return { status: "error", message: error.message, ...(error.code === "own" && { owner: "you" }) };
}

/** The path of a request, even if a malformed `Host` made its URL invalid. */
export function pathOf({ url }: Request): string {
  return URL.parse(url, "http://host")?.pathname ?? "/";
}

/** A media type in any case, with parameters or without (RFC 9110 §8.3.1). */
const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** Throws on invalid UTF-8 instead of substituting U+FFFD. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

const NOT_JSON = "The input must be JSON in UTF-8.";

type BodyReader = (body: Request | Response) => Promise<unknown>;

/**
 * The JSON body of a request: at most 64 KiB, and only as `application/json`, which no web page can post to another
 * origin without a CORS preflight.
 * @param read `strictly` or `leniently`
 * @throws `not-json`, `encoded-body`, `too-large`, InvalidInput
 */
export async function readJson(request: Request, read: BodyReader): Promise<unknown> {
  const { headers } = request;
  if (!JSON_TYPE.test(headers.get("content-type") ?? "")) throw refused("not-json");
  const encoding = headers.get("content-encoding") ?? "";
  if (encoding !== "" && encoding.trim().toLowerCase() !== "identity") throw refused("encoded-body");
  const length = headers.get("content-length");
  if (length !== null && Number(length) > MAX_BODY_BYTES)
    throw refused("too-large", { what: "The body", limit: MAX_BODY_BYTES });
  try {
    return await read(
      length === null ? new Response(await readAtMost(request.body, MAX_BODY_BYTES)) : request,
    );
  } catch (error) {
    if (error instanceof SyntaxError) throw new InvalidInput(NOT_JSON);
    // A client that disconnects in the middle of its body has sent a bad request; it is no error of ours.
    if (error instanceof Error && error.name === "AbortError")
      throw new InvalidInput("The body ended early.");
    throw error;
  }
}

/** Parses JSON, reading invalid UTF-8 as U+FFFD. Faster than `strictly`, and enough where no field admits U+FFFD. */
export function leniently(body: Request | Response): Promise<unknown> {
  return body.json();
}

/** Parses JSON and rejects invalid UTF-8, which would otherwise silently alter a message. */
export async function strictly(body: Request | Response): Promise<unknown> {
  return parseJson(await body.bytes());
}

/** Parses JSON; bytes must be UTF-8. @throws InvalidInput */
export function parseJson(input: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof input === "string" ? input : UTF8.decode(input));
  } catch {
    throw new InvalidInput(NOT_JSON);
  }
}

/** Reads a body of unknown size (chunked or compressed). @throws `too-large` over `limit` bytes */
export async function readAtMost(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw refused("too-large", { what: "The body", limit: limit });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The reason of a WebSocket close frame, which has no other field for this. @param ms rounded up to seconds */
export function closeReason(ms: number): string {
  return `Retry-After: ${Math.ceil(ms / 1000)}`;
}

/** The milliseconds to wait in a close reason; undefined if it holds none. */
export function readCloseReason(reason: string): number | undefined {
  const [, text] = /^Retry-After: (.*)$/s.exec(reason) ?? [];
  return readRetryAfter(text);
}

/** Retry-After in milliseconds; undefined if missing, or a date, which no Talk program sends. */
export function readRetryAfter(text: string | null | undefined): number | undefined {
  return /^\d{1,6}$/.test(text ?? "") ? Number(text) * 1000 : undefined;
}
