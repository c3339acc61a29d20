import { parseJson } from "./json.ts";
import { Message, parse } from "./schemas.ts";

/** The message in a frame or a datagram. @throws InvalidInput */
export function decodeMessage(input: string | Uint8Array): Message {
  return parse(Message, parseJson(input));
}
