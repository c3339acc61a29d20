/** The way to the registry, and whom of its users it lets us contact. */
import { hostOf, isLoopback, resolveHost } from "../../core/address.ts";
import { contactBeside, contactElsewhere, contactRule, type MayContact } from "../../core/denylist.ts";
import { RegistryUnreachable } from "../../core/errors.ts";
import { isOwnAddress } from "../../core/own-addresses.ts";
import { localAddressTowards } from "../../core/udp-socket.ts";
import { firstToConnect } from "../happy-eyeballs.ts";
import { unreachable } from "../network-errors.ts";
import type { RegistryApi } from "./types.ts";

/** How long the registry may take for a connection, in milliseconds. */
const CONNECT_MS = 5000;

export interface Route {
  /** Every IP address of the registry's host. */
  registryIps: string[];
  /** The one that answers. */
  registryIp: string;
  /** The address of this machine from which that is reached. */
  local: string;
}

/** @throws RegistryUnreachable */
export async function routeTo(url: string): Promise<Route> {
  const { protocol, port } = new URL(url);
  try {
    const registryIps = await resolveHost(hostOf(url));
    const [only = hostOf(url), ...others] = registryIps;
    if (others.length === 0) return { registryIps, registryIp: only, local: await localAddressTowards(only) };
    // Which of several leads there, and from where, only a connection tells: an IPv6 address may be out of order.
    const { ip, local } = await firstToConnect(
      registryIps,
      Number(port) || (protocol === "https:" ? 443 : 80),
      CONNECT_MS,
    );
    return { registryIps, registryIp: ip, local };
  } catch (error) {
    throw new RegistryUnreachable(url, unreachable(error) ?? "no route to its host");
  }
}

/** Whether other machines reach the registry, too; whoever reaches it on loopback has to ask. @throws RegistryUnreachable, NoRegistry */
export async function isShared({ registryIp }: Route, registry: RegistryApi): Promise<boolean> {
  return !isLoopback(registryIp) || (await registry.isOnNetwork());
}

/**
 * Which users of a registry may be contacted: those whom one on another machine lists on loopback are not here.
 * @param shared whether other machines reach the registry
 */
export function contactRuleFor({ registryIp }: Route, shared: boolean): MayContact {
  if (!isOwnAddress(registryIp)) return contactElsewhere;
  return shared ? contactBeside : contactRule;
}
