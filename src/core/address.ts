/** Formats, parses, compares and resolves addresses. */
import { InvalidInput } from "./errors.ts";
import { isIPv4, isIPv6 } from "./names.ts";
import { isProtocol, PROTOCOLS } from "./protocol.ts";
import { Address, parse } from "./schemas.ts";

/** A host as written in a URL: IPv6 addresses in brackets (RFC 3986 §3.2.2). */
export function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** The host of a URL, without brackets. */
export function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

/** An address for people, such as `udp://10.0.0.5:3000`; an unknown protocol's own name serves as the scheme. */
export function formatAddress({
  protocol,
  host,
  port,
}: {
  protocol: string;
  host: string;
  port: number;
}): string {
  const scheme = isProtocol(protocol) ? PROTOCOLS[protocol].scheme : protocol.toLowerCase();
  return `${scheme}://${urlHost(host)}:${port}`;
}

/** Whether two addresses are equal, however their hosts are spelled. */
export function sameAddress(
  a: { protocol: string; host: string; port: number },
  b: { protocol: string; host: string; port: number },
): boolean {
  return a.protocol === b.protocol && a.port === b.port && canonicalHost(a.host) === canonicalHost(b.host);
}

/** A host's canonical spelling: lower case, IPv6 compressed (RFC 5952), IPv4-mapped IPv6 as IPv4, no zone. */
export function canonicalHost(host: string): string {
  if (!host.includes(":")) return host.toLowerCase();
  const bare = host.replace(/%.*$/, "").toLowerCase();
  if (!isIPv6(bare)) return bare;
  const short = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (!mapped?.[1] || !mapped[2]) return short;
  const [high, low] = [Number.parseInt(mapped[1], 16), Number.parseInt(mapped[2], 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The eight 16-bit groups of an IP address (RFC 4291 §2.2); of IPv4, those of its IPv4-mapped form (§2.5.5.2). */
export function groupsOf(ip: string): number[] {
  const canonical = canonicalHost(ip);
  if (isIPv4(canonical)) {
    const [a = 0, b = 0, c = 0, d = 0] = canonical.split(".").map(Number);
    return [0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d];
  }
  const [head = [], tail = []] = canonical.split("::").map((part) =>
    part
      .split(":")
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16)),
  );
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

/** Whether a host is a wildcard (`0.0.0.0`, `::`): fit to listen on, but nobody can connect to it. */
export function isUnspecified(host: string): boolean {
  return ["0.0.0.0", "::"].includes(canonicalHost(host));
}

/** Whether a host is loopback by its spelling: 127.0.0.0/8, ::1, `localhost` or a subdomain of it (RFC 6761 §6.3). */
export function isLoopback(host: string): boolean {
  const canonical = canonicalHost(host);
  return (
    /(^|\.)localhost$/.test(canonical) ||
    canonical === "::1" ||
    (canonical.startsWith("127.") && isIPv4(canonical))
  );
}

/**
 * The IP addresses of a host, canonical, in the system's order.
 * @param signal cancels the lookup, which may be slow
 * @throws the resolver's error, code ENOTFOUND; the signal's reason
 */
export async function resolveHost(host: string, signal?: AbortSignal): Promise<string[]> {
  if (isIPv4(host) || isIPv6(host)) return [canonicalHost(host)];
  // Imported lazily: it takes longer to load than everything else here.
  const { lookup } = await import("node:dns/promises");
  signal?.throwIfAborted();
  const lookingUp = lookup(host, { all: true });
  const found = await (signal ? before(signal, lookingUp) : lookingUp);
  return found.map(({ address }) => canonicalHost(address));
}

/** A promise's value, unless the signal fires first. @throws the signal's reason */
function before<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(signal.reason));
  return Promise.race([promise, late]);
}

/**
 * The address that a public URL names: `http://host[:80]`, `ws://host[:80]` or `udp://host:port`.
 * @throws InvalidInput
 */
export function parsePublicUrl(text: string): Address {
  const match = /^([a-z]+):\/\/(?:\[([^\]]+)\]|([^:/?#@[\]]+))(?::(\d+))?\/?$/i.exec(text);
  const scheme = match?.[1]?.toLowerCase();
  const protocol = Object.keys(PROTOCOLS)
    .filter(isProtocol)
    .find((known) => PROTOCOLS[known].scheme === scheme);
  const port = match?.[4] ?? (protocol && PROTOCOLS[protocol].urlPort);
  if (!match || !protocol || port === undefined) {
    throw new InvalidInput("it must look like http://host[:port], ws://host[:port] or udp://host:port");
  }
  return parse(Address, { protocol, host: match[2] ?? match[3], port: Number(port) });
}
