/** HTTP as the registry and a client's HTTP side share it: bounded JSON bodies in, errors out, and how long to wait. */
import { answerOf, InvalidInput, MethodNotAllowed, refused, TalkError } from "./errors.ts";
import { MAX_BODY_BYTES } from "./protocol.ts";

/** The answer to everything that went well and has nothing else to say. */
export const OK = { status: "ok" } as const;

/** An error as an HTTP answer, as every Talk listener gives it. */
export function failure(error: TalkError): Response {
  const { status, headers } = answerOf(error);
  const answer = Response.json(failureBody(error), { status, headers });
  if (error instanceof MethodNotAllowed) answer.headers.set("Allow", error.allowed.join(", "));
  if (error.retryAfter !== undefined) answer.headers.set("Retry-After", String(error.retryAfter));
  return answer;
}

/** The same for whatever a handler threw. Rethrows anything else, so bugs surface. */
export function failureOf(error: unknown): Response {
  if (error instanceof TalkError) return failure(error);
  throw error;
}

/** The body of that answer, which is also what a WebSocket listener says of a bad frame. */
export function failureBody(error: TalkError): { status: "error"; message: string; owner?: "you" } {
  return { status: "error", message: error.message, ...(error.code === "own" && { owner: "you" }) };
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

/** A body that tells its size only as it comes, because it is chunked or compressed. @throws `too-large` over so many bytes */
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
