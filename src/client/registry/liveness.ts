/** A quick check whether a client answers at an address, with the same probes as the registry's. */
import { canonicalHost, urlHost } from "../../core/address.ts";
import { atMost } from "../../core/clock.ts";
import { type MayContact, resolveContact } from "../../core/denylist.ts";
import { encodeProbe, probeHttp, probeWebSocket, type TcpProbe } from "../../core/probe.ts";
import { isProtocol } from "../../core/protocol.ts";
import type { Protocol } from "../../core/schemas.ts";
import { connectUdp } from "../../core/udp-socket.ts";
import { acquireSlot, releaseSlot } from "../transports/request-slots.ts";
import type { ListedAddress } from "./types.ts";

/** How long an answer may take, in milliseconds: the user starting a client waits for it. */
const ANSWER_MS = 2000;

/** UDP probes, and how long to wait after each, in milliseconds: datagrams may be lost. */
const ATTEMPTS = 3;
const ATTEMPT_MS = ANSWER_MS / 4;

/** Most IP addresses of a host probed, in parallel. */
const MAX_ADDRESSES = 8;

/** Whether a client answers at one IP address of a host. @throws an error if no client is there */
type LivenessProbe = (ip: string, address: ListedAddress, signal: AbortSignal) => Promise<boolean>;

/** Whether a client answers at an address within 2 s. Never rejects. */
export async function isPresent(address: ListedAddress, mayContact?: MayContact): Promise<boolean> {
  const { protocol } = address;
  if (!isProtocol(protocol)) return false;
  const stop = new AbortController();

  async function ask(ip: string): Promise<boolean> {
    await acquireSlot();
    try {
      if (!isProtocol(protocol) || stop.signal.aborted) return false;
      return (await atMost(ANSWER_MS, probes[protocol](ip, address, stop.signal))) ?? false;
    } finally {
      releaseSlot();
    }
  }

  try {
    const ips = (await atMost(ANSWER_MS, resolveContact(address.host, mayContact))) ?? [];
    return await anyOf(ips.slice(0, MAX_ADDRESSES).map(ask));
  } catch {
    // Refused, unknown host, forbidden address: in any case, no client of ours is there.
    return false;
  } finally {
    stop.abort();
  }
}

/** Whether any answer is true; a rejection counts as false. */
async function anyOf(answers: readonly Promise<boolean>[]): Promise<boolean> {
  const yes = answers.map((answer) => answer.then((is) => is || Promise.reject(new Error("no"))));
  return Promise.any(yes).catch(() => false);
}

const probes: Record<Protocol, LivenessProbe> = {
  HTTP: overTcp(probeHttp),
  WEBSOCKET: overTcp(probeWebSocket),

  async UDP(ip, { port }, signal) {
    const id = crypto.randomUUID().replaceAll("-", "");
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const refuse = () => resolve(false);
    const socket = await connectUdp(ip, port, refuse, (answer) => answer.includes(id) && resolve(true));
    const { address, port: replyPort } = socket.address;
    try {
      for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
        socket.send(encodeProbe({ host: canonicalHost(address), port: replyPort, id }));
        const answer = await atMost(ATTEMPT_MS, promise);
        if (answer !== undefined) return answer;
      }
      return false;
    } finally {
      socket.close();
    }
  },
};

function overTcp(probe: TcpProbe): LivenessProbe {
  return (ip, { host, port }, signal) => probe(`${urlHost(ip)}:${port}`, `${urlHost(host)}:${port}`, signal);
}
