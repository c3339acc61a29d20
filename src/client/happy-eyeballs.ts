/** Which of a host's addresses takes a connection: each is tried a little after the one before (RFC 8305). */
import { connect, type Socket } from "node:net";
import { canonicalHost } from "../core/address.ts";

/** How long one address may take before the next is tried beside it (RFC 8305 §8), in milliseconds. */
const HEAD_START_MS = 250;

/** How long a peer's addresses are tried, in milliseconds; what is to be sent then needs time, too. */
const PEER_MS = 2000;

export interface Reached {
  ip: string;
  /** The address of this machine from which it is reached. */
  local: string;
}

/**
 * The first address to take a connection, which is closed again.
 * @param ms how long all of them together may take
 * @throws the system's error of the last address, code ETIMEDOUT if none has answered in time
 */
export function firstToConnect(ips: readonly string[], port: number, ms: number): Promise<Reached> {
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

/** A peer's IP addresses, the one that takes connections in front: the others may swallow what is sent. */
export async function byConnection(ips: string[], port: number): Promise<string[]> {
  if (ips.length < 2) return ips;
  try {
    const { ip } = await firstToConnect(ips, port, PEER_MS);
    return [ip, ...ips.filter((other) => other !== ip)];
  } catch {
    // Why none does, the attempt to send will tell.
    return ips;
  }
}
