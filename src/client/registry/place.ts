/** Where the registry is, seen from here, and what follows from it: where to listen, and whom not to contact. */
import { connect, type Socket } from "node:net";
import { canonicalHost, hostOf, isLoopback, isUnspecified, resolveHost } from "../../core/address.ts";
import { contactElsewhere, contactRule, type MayContact } from "../../core/denylist.ts";
import { RegistryUnreachable } from "../../core/errors.ts";
import { isIPv4, isIPv6 } from "../../core/names.ts";
import { defaultRouteAddress, isOwnAddress } from "../../core/own-addresses.ts";
import { localAddressTowards } from "../../core/udp.ts";
import { unreachable } from "../unreachable.ts";

/** How long one address of the registry may take before the next is tried beside it (RFC 8305 §8), and all of them; in milliseconds. */
const HEAD_START_MS = 250;
const CONNECT_MS = 5000;

export interface Place {
  /** Every IP address of the registry's host. */
  registryIps: string[];
  /** The one that answers. */
  registryIp: string;
  /** The address of this machine from which that is reached. */
  local: string;
}

/** @throws RegistryUnreachable */
export async function locate(url: string): Promise<Place> {
  const { protocol, port } = new URL(url);
  try {
    const registryIps = await resolveHost(hostOf(url));
    const [only = hostOf(url), ...others] = registryIps;
    if (others.length === 0) return { registryIps, registryIp: only, local: await localAddressTowards(only) };
    // Which of several leads there, and from where, only a connection tells: an IPv6 address may be out of order.
    const reached = await firstConnection(registryIps, Number(port) || (protocol === "https:" ? 443 : 80));
    return { registryIps, ...reached };
  } catch (error) {
    throw new RegistryUnreachable(url, unreachable(error) ?? "no way to its host");
  }
}

/** Which users of a registry may be contacted: those whom one on another machine lists on loopback are not here. */
export function contactRuleFor({ registryIp }: Place): MayContact {
  return isOwnAddress(registryIp) ? contactRule : contactElsewhere;
}

/** The address of this machine that others can use, where the registry has one `shared` with others. */
export async function addressForOthers({ registryIp, local }: Place, shared: boolean): Promise<string> {
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
  { own, place, shared, proxied }: { own: string; place: Place; shared: boolean; proxied: boolean },
): Promise<Listening> {
  const everywhere = isIPv6(own) ? "::" : "0.0.0.0";
  if (host === undefined) {
    if (!proxied) return { host: own, reachable: own, follows: shared };
    // The proxy may be on this machine, and the registry that we reach on loopback says nothing of it.
    return { host: own === place.local ? own : everywhere, reachable: own, follows: false };
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
    return isOwnAddress(place.registryIp) ? asGiven : { ...asGiven, reachable: own };
  }
  const note = `${host} is ${ip} on this machine, where nobody else reaches you, so you listen on ${own}`;
  return { host: own, reachable: own, follows: true, note };
}

/** The first of several addresses to take a connection, each tried a little after the one before. */
function firstConnection(ips: readonly string[], port: number): Promise<Pick<Place, "registryIp" | "local">> {
  const { promise, resolve, reject } = Promise.withResolvers<Pick<Place, "registryIp" | "local">>();
  const sockets: Socket[] = [];
  let refused = 0;
  let timer: Timer | undefined;
  const limit = setTimeout(() => reject(new Error("no answer")), CONNECT_MS);

  function attempt() {
    clearTimeout(timer);
    const ip = ips[sockets.length];
    if (ip === undefined) return;
    const socket = connect({ host: ip, port });
    sockets.push(socket);
    socket.once("connect", () =>
      resolve({ registryIp: ip, local: canonicalHost(socket.localAddress ?? "") }),
    );
    socket.on("error", (error) => {
      refused++;
      if (refused === ips.length) reject(error);
      else attempt();
    });
    timer = setTimeout(attempt, HEAD_START_MS);
  }

  attempt();
  return promise.finally(() => {
    clearTimeout(timer);
    clearTimeout(limit);
    for (const socket of sockets) socket.destroy();
  });
}
