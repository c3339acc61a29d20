/** The route to the registry, and which users we may contact. */
import { hostOf, isLoopback, resolveHost } from "../../core/address.ts";
import { contactBeside, contactElsewhere, contactRule, type MayContact } from "../../core/denylist.ts";
import { RegistryUnreachable } from "../../core/errors.ts";
import { isOwnAddress } from "../../core/own-addresses.ts";
import { localAddressTowards } from "../../core/udp-socket.ts";
import { firstToConnect } from "../happy-eyeballs.ts";
import { unreachable } from "../network-errors.ts";
import type { RegistryApi } from "./types.ts";

/** How long connecting to the registry may take, in milliseconds. */
const CONNECT_MS = 5000;

export interface Route {
  /** Every IP address of the registry's host. */
  registryIps: string[];
  /** The one that answers. */
  registryIp: string;
  /** The local address used to reach it. */
  local: string;
}

/** @throws RegistryUnreachable */
export async function routeTo(url: string): Promise<Route> {
  const { protocol, port } = new URL(url);
  try {
    const registryIps = await resolveHost(hostOf(url));
    const [only = hostOf(url), ...others] = registryIps;
    if (others.length === 0) return { registryIps, registryIp: only, local: await localAddressTowards(only) };
    // Only connecting shows which address works, and from where: IPv6 may be broken.
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

/** Whether other machines can reach the registry; one on loopback is asked. @throws RegistryUnreachable, NoRegistry */
export async function isShared({ registryIp }: Route, registry: RegistryApi): Promise<boolean> {
  return !isLoopback(registryIp) || (await registry.isOnNetwork());
}

/**
 * Which users we may contact: a loopback address in the list of a registry elsewhere does not mean this machine.
 * @param shared whether other machines can reach the registry
 */
export function contactRuleFor({ registryIp }: Route, shared: boolean): MayContact {
  if (!isOwnAddress(registryIp)) return contactElsewhere;
  return shared ? contactBeside : contactRule;
}
