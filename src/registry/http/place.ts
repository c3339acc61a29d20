/** Where the app listens, and what follows: who may ask, from which address, and whether others can. */
import { canonicalHost, isLoopback, isUnspecified } from "../../core/address.ts";
import { createOriginGuard } from "../../core/origin-guard.ts";
import { isOwnAddress } from "../../core/own-addresses.ts";
import { REACH_HEADER } from "../../core/protocol.ts";
import { Address, isRecord, parse } from "../../core/schemas.ts";
import { andThen } from "../maybe-promise.ts";

export interface ListenPlace {
  guard: ReturnType<typeof createOriginGuard>;
  /** The one IP address that can ask there, if there is but one. */
  onlySource: string | undefined;
  /** Whether other machines can ask. */
  onNetwork: boolean;
}

/** @param server Bun's, once it listens. @param publicHost the name of a proxy in front */
export function placeOf(server: { hostname?: string | undefined } | null, publicHost?: string): ListenPlace {
  const host = server?.hostname ?? "";
  // Nobody else can ask there, and looking would take a tenth of a PUT.
  const onlySource = host === "127.0.0.1" || host === "::1" ? host : undefined;
  // Bound to a name, what counts is where that led. Who has a proxy lets others in through it.
  const onNetwork = publicHost !== undefined || (host !== "" && !isLoopback(boundTo(server) ?? host));
  return { guard: createOriginGuard(host, publicHost), onlySource, onNetwork };
}

/** Marks every answer with `Talk-Reach: network`: other machines can ask here too. */
export function markedAsReachable<A extends unknown[]>(
  answer: (...args: A) => unknown,
): (...args: A) => unknown {
  return (...args) => andThen(answer(...args), mark);
}

/**
 * The address to store. A wildcard cannot be reached, nor can another machine's loopback, which would lead to whoever is
 * on ours: both mean the address that the request came from (`source`, an IP).
 */
export function reachableAddress(address: Address, source: string): Address {
  const isElsewhere = isLoopback(address.host) && !isOwnAddress(source);
  if (!isElsewhere && !isUnspecified(address.host)) return address;
  return parse(Address, { ...address, host: canonicalHost(source) });
}

/** The IP address that a server of Bun listens on, which Elysia's types do not know. */
function boundTo(server: unknown): string | undefined {
  const address = isRecord(server) ? server.address : undefined;
  return isRecord(address) && typeof address.address === "string" ? address.address : undefined;
}

function mark(response: unknown): unknown {
  if (response instanceof Response) response.headers.set(REACH_HEADER, "network");
  return response;
}
