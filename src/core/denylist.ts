/** Addresses that are never contacted: no user can listen there, and a request could do harm. */
import { BlockList, isIP, isIPv4 } from "node:net";
import { isLoopback, resolveHost } from "./address.ts";
import { DeniedAddress, InvalidInput } from "./errors.ts";

/**
 * Unspecified, link-local, multicast, reserved and broadcast addresses (RFC 6890), and the metadata services of clouds.
 * Loopback and the private networks are left out on purpose: Talk is made for them. A subnet's own broadcast address
 * cannot be known here; the kernel refuses it (EACCES).
 */
const NEVER = [
  ...["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "fe80::/10", "ff00::/8"],
  // Alibaba, Oracle and Azure; then AWS, Google, Linode and Scaleway (most others use 169.254.169.254).
  ...["100.100.100.200", "192.0.0.192", "168.63.129.16"],
  ...["fd00:ec2::/32", "fd20:ce::254", "fd00:a9fe:a9fe::1", "fd00:42::42"],
];

/** Whether an IP address, in any spelling `isIP` accepts, may be contacted. @param host the name it was found under */
export type MayContact = (ip: string, host?: string) => boolean;

/** @param denied further networks never to contact, such as `10.0.0.0/8` or `fd00::1`. @throws InvalidInput */
export function createContactRule(denied: readonly string[] = []): MayContact {
  const list = new BlockList();
  for (const network of [...NEVER, ...denied]) deny(list, network);
  // BlockList handles IPv4-mapped addresses (::ffff:0:0/96) by itself.
  return (ip) => {
    const bare = ip.replace(/%.*$/, "");
    return isIP(bare) !== 0 && !list.check(bare, isIPv4(bare) ? "ipv4" : "ipv6");
  };
}

/** The default rule, with no further networks. */
export const contactRule = createContactRule();

/** The rule for users of a registry on another machine: their loopback is not ours. */
export const contactElsewhere: MayContact = (ip) => contactRule(ip) && !isLoopback(ip);

/**
 * The same rule, but for names that lead to our own loopback. Another machine may register such a name, while a host
 * spelled as loopback is stored only if this machine sent it.
 */
export function withoutLoopbackNames(rule: MayContact): MayContact {
  return (ip, host = ip) => rule(ip, host) && (isLoopback(host) || !isLoopback(ip));
}

/** The rule for users of a registry on this machine that is open to others. */
export const contactBeside = withoutLoopbackNames(contactRule);

/**
 * The IP addresses at which a host may be contacted. Connect to one of these, not to the name: a second lookup could
 * return another address (DNS rebinding).
 * @param signal cancels the lookup, which may be slow
 * @throws DeniedAddress if there is none; the resolver's error, code ENOTFOUND; the signal's reason
 */
export async function resolveContact(
  host: string,
  mayContact: MayContact = contactRule,
  signal?: AbortSignal,
): Promise<string[]> {
  const found = await resolveHost(host, signal);
  const allowed = found.filter((ip) => mayContact(ip, host));
  if (allowed.length > 0) return allowed;
  const forOthers = mayContact === contactElsewhere || mayContact === contactBeside;
  const elsewhere = forOthers && found.some((ip) => contactRule(ip));
  throw new DeniedAddress(
    elsewhere
      ? `registered at ${host}, which only their own machine can reach; they should start with --host <their address>`
      : "Talk never contacts its address",
  );
}

/** Denies a network; for IPv4, also the IPv6 addresses that gateways translate to it. */
function deny(list: BlockList, network: string): void {
  const [, base = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(network) ?? [];
  const size = isIPv4(base) ? 32 : 128;
  const prefix = Number(bits ?? size);
  if (!isIP(base) || prefix > size) throw new InvalidInput("a network looks like 10.0.0.0/8 or fd00::/8");
  list.addSubnet(base, prefix, size === 32 ? "ipv4" : "ipv6");
  if (size === 128) return;
  // NAT64 (RFC 6052; RFC 8215 for local use) and 6to4 (RFC 3056).
  list.addSubnet(`64:ff9b::${base}`, 96 + prefix, "ipv6");
  list.addSubnet(`64:ff9b:1::${base}`, 96 + prefix, "ipv6");
  const [a = 0, b = 0, c = 0, d = 0] = base.split(".").map(Number);
  list.addSubnet(`2002:${hex(a, b)}:${hex(c, d)}::`, 16 + prefix, "ipv6");
  // IPv4-compatible addresses (RFC 4291 §2.5.5.1); not for 0.0.0.0/8, which would deny ::1, the loopback.
  if (a !== 0) list.addSubnet(`::${base}`, 96 + prefix, "ipv6");
}

function hex(high: number, low: number): string {
  return (high * 256 + low).toString(16);
}
