import { TooLarge } from "./errors.ts";
import { MAX_MESSAGE_BYTES } from "./protocol.ts";
import type { Message } from "./schemas.ts";

/** A message as it travels on every protocol. @throws TooLarge over 64,000 bytes */
export function encodeMessage({ user, text }: Message): string {
  const body = JSON.stringify({ user, text });
  if (Buffer.byteLength(body) > MAX_MESSAGE_BYTES) throw new TooLarge("The message", MAX_MESSAGE_BYTES);
  return body;
}
