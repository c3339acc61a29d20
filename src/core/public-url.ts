import { InvalidInput } from "./errors.ts";
import { PROTOCOLS } from "./protocol.ts";
import { Address, parse } from "./schemas.ts";

/**
 * The address that a public URL names: `http://host[:80]`, `ws://host[:80]` or `udp://host:port`.
 * @throws InvalidInput
 */
export function parsePublicUrl(text: string): Address {
  const wrong = new InvalidInput("it must look like http://host[:port], ws://host[:port] or udp://host:port");
  const match = /^([a-z]+):\/\/(?:\[([^\]]+)\]|([^:/?#@[\]]+))(?::(\d+))?\/?$/i.exec(text);
  const scheme = match?.[1]?.toLowerCase();
  const protocol = Object.entries(PROTOCOLS).find(([, known]) => known.scheme === scheme)?.[0];
  // 80 is the default of the http and ws schemes (RFC 9110 §4.2.1, RFC 6455 §3); udp has none.
  const port = match?.[4] ?? (protocol === "UDP" ? undefined : "80");
  if (!match || !protocol || port === undefined) throw wrong;
  return parse(Address, { protocol, host: match[2] ?? match[3], port });
}
