/** What users and hosts may be called. Apart from the schemas, because a first prompt needs no more than this. */
import { isIPv4, isIPv6 } from "./ip.ts";
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
