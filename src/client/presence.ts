/** Whether a client is where a name of ours is registered: a quick look, by the same questions as the registry's. */
import { randomBytes } from "node:crypto";
import { canonicalHost, urlHost } from "../core/address.ts";
import { atMost } from "../core/clock.ts";
import { createContactRule, resolveContact } from "../core/contact.ts";
import { CLIENT_PATHS, PROBE_USER } from "../core/protocol.ts";
import type { Protocol } from "../core/schemas.ts";
import { connectUdp } from "../core/udp.ts";
import type { ListedAddress } from "./users.ts";

/** How long an answer may take, in milliseconds: who starts a client waits for it. */
const ANSWER_MS = 2000;

/** How often UDP asks, each time for so many milliseconds: a datagram may be lost. */
const ATTEMPTS = 3;
const ATTEMPT_MS = ANSWER_MS / 4;

/** Asks an IP address and port; false as soon as it refuses. */
type Probe = (at: { ip: string; host: string; port: number }, signal: AbortSignal) => Promise<boolean>;

/** Whether somebody answers at an address within 2 s. Never rejects. */
export async function isPresent({ protocol, host, port }: ListedAddress): Promise<boolean> {
  const probe = new Map<string, Probe>(Object.entries(probes)).get(protocol);
  if (!probe) return false;
  const stop = new AbortController();
  try {
    const ask = async () => {
      const [ip = host] = await resolveContact(host, createContactRule());
      if (stop.signal.aborted) return false;
      return probe({ ip, host, port }, stop.signal);
    };
    return (await atMost(ANSWER_MS, ask())) ?? false;
  } catch {
    // Refused, no such host, an address never contacted: whatever it is, no client of ours is there.
    return false;
  } finally {
    stop.abort();
  }
}

const probes: Record<Protocol, Probe> = {
  async HTTP({ ip, host, port }, signal) {
    const response = await fetch(`http://${urlHost(ip)}:${port}${CLIENT_PATHS.health}`, {
      headers: { host: `${urlHost(host)}:${port}` },
      redirect: "manual",
      keepalive: false,
      signal,
    });
    await response.body?.cancel();
    return response.ok;
  },

  WEBSOCKET({ ip, host, port }, signal) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const headers = { host: `${urlHost(host)}:${port}` };
    const socket = new WebSocket(`ws://${urlHost(ip)}:${port}${CLIENT_PATHS.webSocket}`, { headers });
    socket.addEventListener("open", () => resolve(true));
    socket.addEventListener("error", () => resolve(false));
    signal.addEventListener("abort", () => socket.terminate());
    return promise;
  },

  async UDP({ ip, port }, signal) {
    const id = randomBytes(16).toString("hex");
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const refuse = () => resolve(false);
    const socket = await connectUdp(ip, port, refuse, (answer) => answer.includes(id) && resolve(true));
    const { address, port: replyPort } = socket.address;
    const text = JSON.stringify({ host: canonicalHost(address), port: replyPort, id });
    try {
      for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
        socket.send(JSON.stringify({ user: PROBE_USER, text }));
        const answer = await atMost(ATTEMPT_MS, promise);
        if (answer !== undefined) return answer;
      }
      return false;
    } finally {
      socket.close();
    }
  },
};
