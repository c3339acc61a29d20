/** Chooses the address to listen on, and the one to register. */
import { canonicalHost, isLoopback, isUnspecified, resolveHost } from "../../core/address.ts";
import { isIPv4, isIPv6 } from "../../core/names.ts";
import { defaultRouteAddress, isOwnAddress } from "../../core/own-addresses.ts";
import type { Route } from "../registry/route.ts";

/** This machine's address for other machines, if they use the registry too (`shared`). */
export async function addressForOthers({ registryIp, local }: Route, shared: boolean): Promise<string> {
  if (!shared || !isLoopback(local)) return local;
  return (await defaultRouteAddress(isIPv4(registryIp) ? "IPv4" : "IPv6")) ?? local;
}

export interface Listening {
  /** Where to listen. */
  host: string;
  /** The host to register. */
  reachable: string;
  /** Whether both follow this machine's address when it changes. */
  follows: boolean;
  /** Why it is not what the user asked for. */
  note?: string;
}

/**
 * Where to listen and what to register.
 * @param host as given by the user
 * @param own this machine's address for others
 * @param shared whether other machines use the registry too
 * @param proxied whether others come through a public URL, which is then registered instead
 */
export async function chooseListening(
  host: string | undefined,
  { own, route, shared, proxied }: { own: string; route: Route; shared: boolean; proxied: boolean },
): Promise<Listening> {
  const everywhere = isIPv6(own) ? "::" : "0.0.0.0";
  if (host === undefined) {
    if (!proxied) return { host: own, reachable: own, follows: shared };
    // The proxy may be on another machine, even if we reach the registry on loopback.
    return { host: own === route.local ? own : everywhere, reachable: own, follows: false };
  }
  // 0.0.0.0 takes no IPv6; if the registry is reached over IPv6, listen on ::, which takes both.
  if (isUnspecified(host))
    return { host: isIPv6(own) ? "::" : host, reachable: own, follows: shared && !proxied };
  const asGiven = { host, reachable: host, follows: false };
  if (!shared || proxied) return asGiven;
  const ips = await resolveHost(host).catch(() => []);
  const [ip] = ips;
  if (ip === undefined || !ips.every(isLoopback) || isLoopback(own)) return asGiven;
  if (ip === canonicalHost(host)) {
    // Loopback on purpose, as for a tunnel; but to a registry elsewhere, 127.0.0.1 would mean its own machine.
    return isOwnAddress(route.registryIp) ? asGiven : { ...asGiven, reachable: own };
  }
  const note = `${host} is ${ip} on this machine, where nobody else reaches you, so you listen on ${own}`;
  return { host: own, reachable: own, follows: true, note };
}
