/** Happy Eyeballs (RFC 8305): finds out which of a host's addresses accepts connections, with staggered attempts. */
import type { Socket } from "node:net";
import { canonicalHost } from "../core/address.ts";

/** Delay before the next address is tried in parallel (RFC 8305 §8), in milliseconds. */
const HEAD_START_MS = 250;

/** How long to try a peer's addresses, in milliseconds, which leaves time to send. */
const PEER_MS = 2000;

export interface Reached {
  ip: string;
  /** The local address used to reach it. */
  local: string;
}

/**
 * The first address to accept a connection, which is then closed.
 * @param ms time limit for all of them together
 * @throws the system error of the last address to fail, or code ETIMEDOUT if none answered in time
 */
export async function firstToConnect(ips: readonly string[], port: number, ms: number): Promise<Reached> {
  // Loaded late: a host with one address needs no attempt.
  const { connect } = await import("node:net");
  const { promise, resolve, reject } = Promise.withResolvers<Reached>();
  const sockets: Socket[] = [];
  let failed = 0;
  let timer: Timer | undefined;
  const limit = setTimeout(() => reject(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })), ms);

  function attempt() {
    clearTimeout(timer);
    const ip = ips[sockets.length];
    if (ip === undefined) return;
    const socket = connect({ host: ip, port });
    sockets.push(socket);
    socket.once("connect", () => resolve({ ip, local: canonicalHost(socket.localAddress ?? "") }));
    socket.on("error", (error) => {
      failed++;
      if (failed === ips.length) reject(error);
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

/** A peer's IP addresses, with one that accepts connections first: packets to the others may vanish. */
export async function byConnection(ips: string[], port: number): Promise<string[]> {
  if (ips.length < 2) return ips;
  try {
    const { ip } = await firstToConnect(ips, port, PEER_MS);
    return [ip, ...ips.filter((other) => other !== ip)];
  } catch {
    // Sending will report why none does.
    return ips;
  }
}
