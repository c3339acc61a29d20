/** Rules for user and host names, and what an IP address is. Free of the schemas, so the first prompt loads quickly. */
import { MAX_NAME_LENGTH } from "./protocol.ts";

/** Each with its rule in words that read on from "must be". */
export const USER_NAME = {
  pattern: `^(?!\\.{1,2}$)[a-zA-Z0-9_.-]{1,${MAX_NAME_LENGTH}}$`,
  rule: `1 to ${MAX_NAME_LENGTH} of the characters a-z, A-Z, 0-9, "-", "_" and ".", and not "." or ".."`,
};

/** A host that is no IP address: RFC 1123 §2.1 with underscores; the last label is not all digits, so no IPv4 address in disguise fits. */
export const HOST_NAME = {
  pattern:
    "^(?=.{1,253}$)([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\\.)*(?!\\d+$)[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$",
  rule: "an IPv4 address, an IPv6 address without brackets or zone, or a host name",
};

const userName = new RegExp(USER_NAME.pattern);
const hostName = new RegExp(HOST_NAME.pattern);

/** Whether a user could have that name. */
export function isUserName(name: unknown): name is string {
  return typeof name === "string" && userName.test(name);
}

/** Whether that is an IP address, without brackets and zone, or could be the name of a host. */
export function isHost(host: string): boolean {
  return isIPv4(host) || (isIPv6(host) && !host.includes("%")) || hostName.test(host);
}

/** One number of an IPv4 address. Bun's node:net could tell, but takes longer to load. */
const BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);

export function isIPv4(host: string): boolean {
  return IPV4.test(host);
}

/** With a zone (`%eth0`) or without, but never in brackets. */
export function isIPv6(host: string): boolean {
  const [bare = ""] = host.split("%", 1);
  // Only an IPv6 address stands in brackets in a URL (WHATWG URL §3.5).
  return /^[0-9a-f:.]+$/i.test(bare) && URL.canParse(`http://[${bare}]/`);
}
