/** Where the app listens, and what follows from it: the origin guard, the client's address, and who can connect. */
import { canonicalHost, isLoopback, isUnspecified } from "../../core/address.ts";
import { createOriginGuard } from "../../core/origin-guard.ts";
import { isOwnAddress } from "../../core/own-addresses.ts";
import { REACH_HEADER } from "../../core/protocol.ts";
import { Address, isRecord, parse } from "../../core/schemas.ts";
import { andThen } from "../maybe-promise.ts";

export interface ListenPlace {
  guard: ReturnType<typeof createOriginGuard>;
  /** The only IP address that can connect, if there is just one. */
  onlySource: string | undefined;
  /** Whether other machines can connect. */
  onNetwork: boolean;
}

/** @param server Bun's, once it listens. @param publicHost the host name of a proxy in front */
export function placeOf(server: { hostname?: string | undefined } | null, publicHost?: string): ListenPlace {
  const host = server?.hostname ?? "";
  // Nobody else can connect to loopback, and looking up each source would add a tenth to the cost of a PUT.
  const onlySource = host === "127.0.0.1" || host === "::1" ? host : undefined;
  // For a host name, the address it resolved to counts. A proxy in front lets others in.
  const onNetwork = publicHost !== undefined || (host !== "" && !isLoopback(boundTo(server) ?? host));
  return { guard: createOriginGuard(host, publicHost), onlySource, onNetwork };
}

/** Adds `Talk-Reach: network` to every response: other machines can connect too. */
export function markedAsReachable<A extends unknown[]>(
  answer: (...args: A) => unknown,
): (...args: A) => unknown {
  return (...args) => andThen(answer(...args), mark);
}

/**
 * The address to store. Nobody can connect to a wildcard, and another machine's loopback would lead others to their
 * own: both are replaced by the address the request came from (`source`, an IP address).
 */
export function reachableAddress(address: Address, source: string): Address {
  const isElsewhere = isLoopback(address.host) && !isOwnAddress(source);
  if (!isElsewhere && !isUnspecified(address.host)) return address;
  return parse(Address, { ...address, host: canonicalHost(source) });
}

/** The IP address Bun's server listens on, missing from Elysia's types. */
function boundTo(server: unknown): string | undefined {
  const address = isRecord(server) ? server.address : undefined;
  return isRecord(address) && typeof address.address === "string" ? address.address : undefined;
}

function mark(response: unknown): unknown {
  if (response instanceof Response) response.headers.set(REACH_HEADER, "network");
  return response;
}
