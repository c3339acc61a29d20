/** Reads JSON that others send. */
import { EncodedBody, InvalidInput, NotJson, TooLarge } from "./errors.ts";
import { MAX_BODY_BYTES } from "./protocol.ts";

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
