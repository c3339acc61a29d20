/** Addresses that are never contacted: no user can listen there, and a request could do harm. */
import { groupsOf, isLoopback, resolveHost } from "./address.ts";
import { DeniedAddress, InvalidInput } from "./errors.ts";
import { isIPv4, isIPv6 } from "./names.ts";

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

/** Whether an IP address may be contacted; false if it is none. @param host the name it was found under */
export type MayContact = (ip: string, host?: string) => boolean;

/** @param denied further networks never to contact, such as `10.0.0.0/8` or `fd00::1`. @throws InvalidInput */
export function createContactRule(denied: readonly string[] = []): MayContact {
  const networks = [...NEVER, ...denied].map(parseNetwork);
  return (ip) => {
    const bare = ip.replace(/%.*$/, "");
    if (!isIPv4(bare) && !isIPv6(bare)) return false;
    const groups = groupsOf(bare);
    const inner = embeddedIPv4(groups);
    return !networks.some((network) => contains(network, groups) || (inner && contains(network, inner)));
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

/** A network by the groups of its address (see `groupsOf`), of which the first bits count. */
interface Network {
  groups: number[];
  bits: number;
}

/** Not `BlockList`: loading node:net takes 6 ms, a fifth of a whole `send`. */
function parseNetwork(network: string): Network {
  const [, base = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(network) ?? [];
  const size = isIPv4(base) ? 32 : 128;
  const prefix = Number(bits ?? size);
  if ((size === 128 && !isIPv6(base)) || prefix > size)
    throw new InvalidInput("a network looks like 10.0.0.0/8 or fd00::/8");
  return { groups: groupsOf(base), bits: 128 - size + prefix };
}

/** Compares the last bits first, in which most addresses differ. */
function contains({ groups, bits }: Network, address: readonly number[]): boolean {
  for (let i = Math.ceil(bits / 16) - 1; i >= 0; i--) {
    const ignored = Math.max(0, 16 * (i + 1) - bits);
    if (((groups[i] ?? 0) ^ (address[i] ?? 0)) >> ignored !== 0) return false;
  }
  return true;
}

/** Prefixes of IPv6 addresses that hold an IPv4 address: behind 6to4's (RFC 3056), at the end of all others. */
const SIX_TO_FOUR = parseNetwork("2002::/16");
/** RFC 6052; RFC 8215 for local use. */
const NAT64 = ["64:ff9b::/96", "64:ff9b:1::/96"].map(parseNetwork);
/** RFC 4291 §2.5.5.1. */
const IPV4_COMPATIBLE = parseNetwork("::/96");

/** The groups of the IPv4 address to which a gateway may translate an IPv6 address, if there is one. */
function embeddedIPv4(groups: readonly number[]): number[] | undefined {
  if (contains(SIX_TO_FOUR, groups)) return mapped(groups.slice(1, 3));
  const last = groups.slice(6);
  if (NAT64.some((network) => contains(network, groups))) return mapped(last);
  // ::1 is the loopback, not 0.0.0.1.
  const [high = 0] = last;
  return contains(IPV4_COMPATIBLE, groups) && high > 0xff ? mapped(last) : undefined;
}

function mapped(groups: readonly number[]): number[] {
  return [0, 0, 0, 0, 0, 0xffff, ...groups];
}
