/** The addresses of this machine: which are its own, which others can use, and which leads to the network. */
import { networkInterfaces } from "node:os";
import { canonicalHost, isLoopback, urlHost } from "./address.ts";
import { isIPv4 } from "./names.ts";
import { localAddressTowards } from "./udp.ts";

/** Interfaces between this machine and its own containers and virtual machines, as their makers name them. */
const BRIDGE = /^(docker|br-|veth|virbr|vmnet|vboxnet|cni|flannel|cali|podman|lxc|lxdbr|incusbr)/;

/**
 * Addresses towards which the default route leads, because nobody uses them (RFC 5737, RFC 3849). To connect a UDP
 * socket looks up the route and sends nothing.
 */
const ANYWHERE = { IPv4: "198.51.100.1", IPv6: "2001:db8::1" } as const;

type Family = keyof typeof ANYWHERE;

/** Whether an IP address is one of this machine's. */
export function isOwnAddress(ip: string): boolean {
  return isLoopback(ip) || interfaceAddresses().some(({ address }) => address === canonicalHost(ip));
}

/** The IP addresses at which other machines may reach this one, IPv4 first: not those of containers' bridges. */
export function networkAddresses(): string[] {
  const addresses = interfaceAddresses()
    .filter(({ name, address }) => !BRIDGE.test(name) && !isLoopback(address) && !isLinkLocal(address))
    .map(({ address }) => address);
  return [...addresses.filter(isIPv4), ...addresses.filter((address) => !isIPv4(address))];
}

/**
 * This machine's address on its default route, else any that others may reach; undefined without a network. Waits for
 * nothing: neither a route nor a name server that is not there.
 * @param family the one to prefer
 */
export async function defaultRouteAddress(family: Family): Promise<string | undefined> {
  for (const wanted of family === "IPv4" ? (["IPv4", "IPv6"] as const) : (["IPv6", "IPv4"] as const)) {
    const address = await localAddressTowards(ANYWHERE[wanted]).catch(() => undefined);
    if (address !== undefined && !isLoopback(address) && !isLinkLocal(address)) return address;
  }
  return networkAddresses()[0];
}

/** The URLs of a service that listens on a wildcard, as people can type them: the network's first, this machine's last. */
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
