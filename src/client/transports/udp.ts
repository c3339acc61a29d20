import { isIPv4, isIPv6 } from "node:net";
import { canonicalHost, isUnspecified, resolveHost } from "../../core/address.ts";
import { atMost } from "../../core/clock.ts";
import { type MayContact, resolveContact } from "../../core/denylist.ts";
import { CannotListen, errorCode, TalkError } from "../../core/errors.ts";
import { encodeProbeAnswer, type Probe, readDatagram } from "../../core/probe.ts";
import { type ConnectedSocket, connectUdp } from "../../core/udp-socket.ts";
import { notReached, unreachable } from "../network-errors.ts";
import { type Connection, createConnectionPool } from "./connection-pool.ts";
import { createProbeGuard } from "./probe-guard.ts";
import type { Outcome, Transport } from "./types.ts";

/** How long the kernel is given to report a closed port, in milliseconds; in a LAN it takes far less. */
const REFUSAL_MS = 100;

/** How long a host may be looked up, in milliseconds: with the above, less than the 5 s after which an outcome is known. */
const LOOKUP_MS = 4000;

/** A probe is shorter than this, in bytes; its host name has at most 253 characters. */
const MAX_PROBE_BYTES = 1024;

/** Messages as datagrams. */
export const udp: Transport = {
  // Half of what the default receive buffer of Linux holds, in small datagrams and in bytes: a burst is not lost.
  window: { messages: 128, bytes: 100_000 },
  silentlyLimited: true,

  async listen({ host, port, onMessage, delay, advertised, registryIps }) {
    const admits = createProbeGuard();
    try {
      const socket = await Bun.udpSocket({
        hostname: host,
        port,
        socket: {
          data(socket, datagram, sourcePort, source) {
            const late = delay !== undefined && delay(source) > 0;
            // A flood must not hide a probe, whose answer keeps us registered.
            if (late && datagram.byteLength > MAX_PROBE_BYTES) return;
            const read = readOrDrop(datagram);
            if (read && "message" in read && !late) onMessage(read.message, source);
            if (read && "probe" in read && admits(read.probe.id)) {
              const body = encodeProbeAnswer(read.probe, advertised(socket.port), datagram.byteLength);
              void replyAddress(read.probe, source, sourcePort, registryIps).then((to) => {
                if (to) sendThrough(socket, body, to.ip, to.port);
              });
            }
          },
          // An answer to a probe met a closed port; without a handler that would end the process.
          error() {},
        },
      });
      return { port: socket.port, close: async () => socket.close() };
    } catch (error) {
      throw CannotListen.from(error, host, port);
    }
  },

  createSender: (mayContact) => createConnectionPool(openConnection, mayContact),
};

/** A datagram that is neither message nor probe is dropped: an answer would only help whoever forged it. */
function readOrDrop(datagram: Buffer): ReturnType<typeof readDatagram> | undefined {
  try {
    return readDatagram(datagram);
  } catch (error) {
    if (error instanceof TalkError) return undefined;
    throw error;
  }
}

/**
 * Where a probe may be answered: at the IP address it came from or at the registry's own, and nowhere else,
 * so that nobody can aim our answers at a third (CVE-2020-12695 was that).
 */
async function replyAddress(
  { replyTo }: Probe,
  source: string,
  sourcePort: number,
  registryIps: readonly string[],
) {
  const from = canonicalHost(source);
  if (!replyTo || isUnspecified(replyTo.host)) return { ip: from, port: replyTo?.port ?? sourcePort };
  const ips = await resolveHost(replyTo.host).catch(() => []);
  const ip = ips.find((candidate) => candidate === from || registryIps.includes(candidate));
  return ip === undefined ? undefined : { ip, port: replyTo.port };
}

/** Sends through a shared socket, where one dead peer makes the next send to anybody throw its refusal. */
function sendThrough(socket: Bun.udp.Socket<"buffer">, body: string, ip: string, port: number): void {
  const target = isIPv4(ip) && isIPv6(socket.hostname) ? `::ffff:${ip}` : ip;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      socket.send(body, port, target);
      return;
    } catch (error) {
      if (errorCode(error) !== "ECONNREFUSED") return;
    }
  }
}

/** A socket towards one IP address of a host, and how to go on to the next one, if there is one. */
interface UdpPeer {
  socket: ConnectedSocket;
  next: (() => Promise<UdpPeer>) | undefined;
}

/** A socket of its own for each peer, because only a connected one tells which peer refused; closed when idle. */
function openConnection(
  host: string,
  port: number,
  onEnded: () => void,
  mayContact?: MayContact,
): Connection {
  const unsettled = new Set<(outcome: Outcome) => void>();
  let connected = resolveContact(host, mayContact).then(([ip = host, ...others]) => connect(ip, others));
  let underWay = 0;

  /** @param others further IP addresses of the host, for when there is no way to this one */
  async function connect(ip: string, others: string[]): Promise<UdpPeer> {
    const [next, ...rest] = others;
    try {
      const socket = await connectUdp(ip, port, (error) => settleAll(failed(error)));
      return { socket, next: next === undefined ? undefined : () => connect(next, rest) };
    } catch (error) {
      if (next === undefined || unreachable(error) === undefined) throw error;
      return connect(next, rest);
    }
  }

  /** Sends, and where the port is closed does so at the host's next address; nothing has arrived before. */
  async function sendAnywhere(body: string): Promise<Outcome> {
    while (true) {
      const from = connected;
      const connection = await atMost(LOOKUP_MS, from);
      if (!connection)
        return { type: "failed", reason: "the host name cannot be looked up now", absent: true };
      transmit(connection.socket, body);
      const outcome = await outcomeInTime();
      if (outcome.type !== "failed" || !connection.next) return outcome;
      // Of several that were refused together, the first one moves on.
      if (connected === from) {
        connected = connection.next();
        connection.socket.close();
      }
    }
  }

  function settleAll(outcome: Outcome) {
    for (const settle of [...unsettled]) settle(outcome);
  }

  function transmit(socket: ConnectedSocket, body: string) {
    try {
      socket.send(body);
    } catch (error) {
      if (errorCode(error) !== "ECONNREFUSED") throw error;
      // The refusal is of the datagrams before, and this one has not left.
      settleAll(failed(error));
      socket.send(body);
    }
  }

  /** Sent, unless the kernel says otherwise in time. */
  function outcomeInTime(): Promise<Outcome> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle({ type: "sent" }), REFUSAL_MS);
      function settle(outcome: Outcome) {
        clearTimeout(timer);
        unsettled.delete(settle);
        resolve(outcome);
      }
      unsettled.add(settle);
    });
  }

  return {
    async send(body) {
      underWay++;
      try {
        return await sendAnywhere(body);
      } catch (error) {
        return failed(error);
      } finally {
        if (--underWay === 0) {
          onEnded();
          void connected.then(
            ({ socket }) => socket.close(),
            () => {},
          );
        }
      }
    },
    close: () => settleAll({ type: "sent" }),
  };
}

function failed(error: unknown): Outcome {
  const code = errorCode(error);
  if (code === "EMSGSIZE") {
    return { type: "failed", reason: "it is too long for one datagram", permanent: true };
  }
  if (code === "ECONNREFUSED") return { type: "failed", reason: "its port is closed", absent: true };
  return notReached(error) ?? { type: "failed", reason: `the system says ${code ?? String(error)}` };
}
