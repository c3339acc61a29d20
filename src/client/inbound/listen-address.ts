/** On which address to listen, and which one to register. */
import { canonicalHost, isLoopback, isUnspecified, resolveHost } from "../../core/address.ts";
import { isIPv4, isIPv6 } from "../../core/names.ts";
import { defaultRouteAddress, isOwnAddress } from "../../core/own-addresses.ts";
import type { Route } from "../registry/route.ts";

/** The address of this machine that others can use, where the registry has one `shared` with others. */
export async function addressForOthers({ registryIp, local }: Route, shared: boolean): Promise<string> {
  if (!shared || !isLoopback(local)) return local;
  return (await defaultRouteAddress(isIPv4(registryIp) ? "IPv4" : "IPv6")) ?? local;
}

export interface Listening {
  /** Where to listen. */
  host: string;
  /** What is registered. */
  reachable: string;
  /** Whether both follow this machine's address, should it change. */
  follows: boolean;
  /** Why it is not as the user has said. */
  note?: string;
}

/**
 * Where to listen and what to register.
 * @param host as the user wants it
 * @param own this machine's address for others
 * @param shared whether the registry is for other machines too
 * @param proxied whether others come through a public URL, which then is what is registered
 */
export async function chooseListening(
  host: string | undefined,
  { own, route, shared, proxied }: { own: string; route: Route; shared: boolean; proxied: boolean },
): Promise<Listening> {
  const everywhere = isIPv6(own) ? "::" : "0.0.0.0";
  if (host === undefined) {
    if (!proxied) return { host: own, reachable: own, follows: shared };
    // The proxy may be on this machine, and the registry that we reach on loopback says nothing of it.
    return { host: own === route.local ? own : everywhere, reachable: own, follows: false };
  }
  // 0.0.0.0 takes no IPv6; where that leads to the registry, :: takes both.
  if (isUnspecified(host))
    return { host: isIPv6(own) ? "::" : host, reachable: own, follows: shared && !proxied };
  const asGiven = { host, reachable: host, follows: false };
  if (!shared || proxied) return asGiven;
  const ips = await resolveHost(host).catch(() => []);
  const [ip] = ips;
  if (ip === undefined || !ips.every(isLoopback) || isLoopback(own)) return asGiven;
  if (ip === canonicalHost(host)) {
    // Wanted on loopback, as for a tunnel: with a registry elsewhere, 127.0.0.1 would mean another machine.
    return isOwnAddress(route.registryIp) ? asGiven : { ...asGiven, reachable: own };
  }
  const note = `${host} is ${ip} on this machine, where nobody else reaches you, so you listen on ${own}`;
  return { host: own, reachable: own, follows: true, note };
}
