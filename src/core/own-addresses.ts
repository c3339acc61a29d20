/** This machine's addresses: all of them, those that others can reach, and the one on the default route. */
import { networkInterfaces } from "node:os";
import { canonicalHost, isLoopback, urlHost } from "./address.ts";
import { isIPv4 } from "./names.ts";
import { localAddressTowards } from "./udp-socket.ts";

/** Interface names of bridges to this machine's own containers and virtual machines. */
const BRIDGE = /^(docker|br-|veth|virbr|vmnet|vboxnet|cni|flannel|cali|podman|lxc|lxdbr|incusbr)/;

/**
 * Documentation addresses (RFC 5737, RFC 3849): nobody uses them, so they take the default route. Connecting a UDP
 * socket looks up the route without sending anything.
 */
const ANYWHERE = { IPv4: "198.51.100.1", IPv6: "2001:db8::1" } as const;

type Family = keyof typeof ANYWHERE;

/** Whether an IP address belongs to this machine. */
export function isOwnAddress(ip: string): boolean {
  return isLoopback(ip) || interfaceAddresses().some(({ address }) => address === canonicalHost(ip));
}

/** The IP addresses at which other machines may reach this one, IPv4 first; without those of container bridges. */
export function networkAddresses(): string[] {
  const addresses = interfaceAddresses()
    .filter(({ name, address }) => !BRIDGE.test(name) && !isLoopback(address) && !isLinkLocal(address))
    .map(({ address }) => address);
  return [...addresses.filter(isIPv4), ...addresses.filter((address) => !isIPv4(address))];
}

/**
 * This machine's address on its default route, else any that others may reach; undefined without a network. Never
 * waits on the network, so a missing route or name server costs no time.
 * @param family the preferred one
 */
export async function defaultRouteAddress(family: Family): Promise<string | undefined> {
  for (const wanted of family === "IPv4" ? (["IPv4", "IPv6"] as const) : (["IPv6", "IPv4"] as const)) {
    const address = await localAddressTowards(ANYWHERE[wanted]).catch(() => undefined);
    if (address !== undefined && !isLoopback(address) && !isLinkLocal(address)) return address;
  }
  return networkAddresses()[0];
}

/** The URLs of a service that listens on a wildcard: the network's first, loopback last. */
export function urlsOfWildcard(host: string, port: number): string[] {
  const everyFamily = host.includes(":");
  const addresses = networkAddresses().filter((address) => everyFamily || isIPv4(address));
  return [...addresses, "127.0.0.1"].map((address) => `http://${urlHost(address)}:${port}`);
}

function interfaceAddresses(): { name: string; address: string }[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map(({ address }) => ({ name, address: canonicalHost(address) })),
  );
}

function isLinkLocal(ip: string): boolean {
  return ip.startsWith("169.254.") || /^fe[89ab]/i.test(ip);
}
