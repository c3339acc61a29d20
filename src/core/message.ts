/** Encodes and decodes messages. */
import { refused } from "./errors.ts";
import { parseJson } from "./http.ts";
import { MAX_MESSAGE_BYTES } from "./protocol.ts";
import { Message, parse } from "./schemas.ts";

/** Encodes a message, the same for every protocol. @throws `too-large` over 64,000 bytes */
export function encodeMessage({ user, text }: Message): string {
  const body = JSON.stringify({ user, text });
  if (Buffer.byteLength(body) > MAX_MESSAGE_BYTES)
    throw refused("too-large", { what: "The message", limit: MAX_MESSAGE_BYTES });
  return body;
}

/** Decodes a frame or a datagram. @throws InvalidInput */
export function decodeMessage(input: string | Uint8Array): Message {
  return parse(Message, parseJson(input));
}
