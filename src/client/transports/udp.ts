import { canonicalHost, isUnspecified, resolveHost } from "../../core/address.ts";
import { CannotListen } from "../../core/cannot-listen.ts";
import { atMost } from "../../core/clock.ts";
import { type MayContact, resolveContact } from "../../core/denylist.ts";
import { errorCode, TalkError } from "../../core/errors.ts";
import { isIPv4, isIPv6 } from "../../core/names.ts";
import { encodeProbeAnswer, type Probe, readDatagram } from "../../core/probe.ts";
import { type ConnectedSocket, connectUdp } from "../../core/udp-socket.ts";
import { notReached, unreachable } from "../network-errors.ts";
import { type Connection, createConnectionPool } from "./connection-pool.ts";
import { createProbeGuard } from "./probe-guard.ts";
import type { Outcome, Transport } from "./types.ts";

/** How long to wait for the kernel to report a closed port, in milliseconds; on a LAN it takes far less. */
const REFUSAL_MS = 100;

/** How long a DNS lookup may take, in milliseconds: with the above, below the 5 s in which an outcome is due. */
const LOOKUP_MS = 4000;

/** Most bytes of a probe; its host name has at most 253 characters. */
const MAX_PROBE_BYTES = 1024;

/** Messages as datagrams. */
export const udp: Transport = {
  // Half of Linux's default receive buffer, in small datagrams and in bytes, so that no burst is lost.
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
            // Probes are exempt from the limit: answering them keeps us registered, even in a flood.
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
          // An answer to a probe hit a closed port; without a handler, that would end the process.
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

/** Drops a datagram that is neither message nor probe: an answer would only help a forger. */
function readOrDrop(datagram: Buffer): ReturnType<typeof readDatagram> | undefined {
  try {
    return readDatagram(datagram);
  } catch (error) {
    if (error instanceof TalkError) return undefined;
    throw error;
  }
}

/**
 * Where to answer a probe: only at the IP address it came from or at the registry's own, so that nobody can aim our
 * answers at a third party (as in CVE-2020-12695).
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

/** Sends through a shared socket, on which one dead peer's refusal makes the next send to anybody throw. */
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

/** A socket connected to one IP address of a host, and how to move on to the next, if any. */
interface UdpPeer {
  socket: ConnectedSocket;
  next: (() => Promise<UdpPeer>) | undefined;
}

/** One socket per peer, because only a connected socket tells which peer refused; closed when idle. */
function openConnection(
  host: string,
  port: number,
  onEnded: () => void,
  mayContact?: MayContact,
): Connection {
  const unsettled = new Set<(outcome: Outcome) => void>();
  let connected = resolveContact(host, mayContact).then(([ip = host, ...others]) => connect(ip, others));
  let underWay = 0;

  /** @param others the host's other IP addresses, for when this one is unreachable */
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

  /** Sends, moving on to the host's next address if the port is closed, since then nothing has arrived. */
  async function sendAnywhere(body: string): Promise<Outcome> {
    while (true) {
      const from = connected;
      const connection = await atMost(LOOKUP_MS, from);
      if (!connection)
        return { type: "failed", reason: "the host name cannot be looked up now", absent: true };
      transmit(connection.socket, body);
      const outcome = await outcomeInTime();
      if (outcome.type !== "failed" || !connection.next) return outcome;
      // If several were refused together, only the first one moves on.
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
      // The refusal belongs to earlier datagrams; this one has not left.
      settleAll(failed(error));
      socket.send(body);
    }
  }

  /** `sent`, unless the kernel reports a refusal in time. */
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
