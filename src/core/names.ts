/** Rules for user names, host names and IP addresses, without the schemas, so that the first prompt loads quickly. */
import { MAX_NAME_LENGTH } from "./protocol.ts";

/** A rule completes a sentence that begins "must be". */
export const USER_NAME = {
  pattern: `^(?!\\.{1,2}$)[a-zA-Z0-9_.-]{1,${MAX_NAME_LENGTH}}$`,
  rule: `1 to ${MAX_NAME_LENGTH} of the characters a-z, A-Z, 0-9, "-", "_" and ".", and not "." or ".."`,
};

/**
 * RFC 1123 §2.1 plus underscores. The last label is no number, decimal or hexadecimal (WHATWG URL §3.5, "ends in a
 * number"): resolvers read such a host as an IPv4 address, `0x7f.1` as 127.0.0.1.
 */
export const HOST_NAME = {
  pattern:
    "^(?=.{1,253}$)([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\\.)*(?!(\\d+|0[xX][0-9a-fA-F]*)$)[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$",
  rule: "an IPv4 address, an IPv6 address without brackets or zone, or a host name",
};

const userName = new RegExp(USER_NAME.pattern);
const hostName = new RegExp(HOST_NAME.pattern);

/** Whether a user may have that name. */
export function isUserName(name: unknown): name is string {
  return typeof name === "string" && userName.test(name);
}

/** Whether that is an IP address, without brackets or zone, or a valid host name. */
export function isHost(host: string): boolean {
  return isIPv4(host) || (isIPv6(host) && !host.includes("%")) || hostName.test(host);
}

/** One byte of an IPv4 address. Not node:net's isIPv4, which takes longer to load. */
const BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);

export function isIPv4(host: string): boolean {
  return IPV4.test(host);
}

/** With a zone (`%eth0`) or without, but never in brackets. */
export function isIPv6(host: string): boolean {
  const [bare = ""] = host.split("%", 1);
  // Brackets in a URL hold an IPv6 address only (WHATWG URL §3.5).
  return /^[0-9a-f:.]+$/i.test(bare) && URL.canParse(`http://[${bare}]/`);
}
