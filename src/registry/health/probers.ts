/** Health probes: one prober per protocol. */
import { createSocket } from "node:dgram";
import { canonicalHost, urlHost } from "../../core/address.ts";
import { createContactRule, type MayContact, resolveContact } from "../../core/denylist.ts";
import { DeniedAddress, errorCode } from "../../core/errors.ts";
import { encodeProbe, type ProbeForm, probeHttp, probeWebSocket, type TcpProbe } from "../../core/probe.ts";
import type { Address, Protocol } from "../../core/schemas.ts";
import { type ConnectedSocket, connectUdp } from "../../core/udp-socket.ts";
import type { Finding, ProbeHistory, Prober } from "./types.ts";

/** Socket receive buffer for the answers to all concurrent probes, in bytes; the default holds only 256 small ones. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** With 30 % packet loss each way, all 20 UDP probes of a check fail once in 700,000 checks. */
const UDP_ATTEMPTS = 20;

/** Most sockets kept open for late answers to `id-checker`; beyond that, the oldest is closed. */
const MAX_WAITING = 500;

/** Random bytes in a probe's id, so that ids cannot be guessed and do not collide. */
const ID_BYTES = 16;

/** Error codes that prove the peer is not there; any other error may be our own. */
const REFUSALS = ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND"];

export interface Probers {
  proberFor: (address: Address) => Prober;
  close(): void;
}

/**
 * Opens the UDP port that receives all answers.
 * @param mayContact which addresses may be probed
 */
export async function openProbers(mayContact: MayContact = createContactRule()): Promise<Probers> {
  const answers = await openAnswerSocket(mayContact);
  const overTcp = (probe: TcpProbe): Prober => ({
    // TCP retransmits lost packets itself, so a few attempts are enough.
    attempts: 3,
    begin: (address) => ({ probe: (deadline) => probeTcp(probe, address, mayContact, deadline), end() {} }),
  });
  const probers: Record<Protocol, Prober> = {
    HTTP: overTcp(probeHttp),
    WEBSOCKET: overTcp(probeWebSocket),
    UDP: { attempts: UDP_ATTEMPTS, begin: answers.begin },
  };
  return { proberFor: ({ protocol }) => probers[protocol], close: answers.close };
}

/** Probes each IP address of a host until one answers. Resolves the name only once. */
async function probeTcp(
  probe: TcpProbe,
  { host, port }: Address,
  mayContact: MayContact,
  deadline: number,
): Promise<Finding> {
  const signal = AbortSignal.timeout(deadline);
  try {
    const ips = await resolveContact(host, mayContact, signal);
    const findings: Finding[] = [];
    for (const ip of ips) {
      // Split the time, so that one address that drops packets does not use it all.
      const share = AbortSignal.any([signal, AbortSignal.timeout(deadline / ips.length)]);
      const answer = probe(`${urlHost(ip)}:${port}`, `${urlHost(host)}:${port}`, share);
      const finding = await answer.then((there) => (there ? "alive" : "refused"), findingOf);
      if (finding === "alive") return finding;
      findings.push(finding);
    }
    return findings.includes("silent") ? "silent" : "refused";
  } catch (error) {
    return findingOf(error);
  }
}

/**
 * Opens the port to which UDP clients send their answers. Each probe is sent from a socket of its own, which receives
 * refusals and answers to `id-checker`. For the latter it stays open until the check ends, because an answer may come
 * after its probe's deadline.
 */
async function openAnswerSocket(mayContact: MayContact): Promise<{ begin: Prober["begin"]; close(): void }> {
  const waiting = new Map<string, () => void>();
  /** Sockets of past probes that may still be answered, oldest first. */
  const lingering = new Set<ConnectedSocket>();
  const socket = await bind("udp6", "::").catch(() => bind("udp4", "0.0.0.0"));
  socket.on("error", () => {});
  socket.on("message", take);
  const { port } = socket.address();

  function take(datagram: Buffer): void {
    // Any datagram with a pending id is an answer, whatever its format. Some JSON encoders escape the quote before the id.
    for (const [, id = ""] of datagram.toString("latin1").matchAll(/(?:\\u0022)?([0-9a-f]{32})/g)) {
      waiting.get(id)?.();
      waiting.delete(id);
    }
  }

  function begin({ host, port: peerPort }: Address, history: ProbeHistory = {}) {
    const ids: string[] = [];
    const senders: ConnectedSocket[] = [];
    const answered = Promise.withResolvers<Finding>();

    /**
     * The form known to work, if any: `id-checker` crashes some clients, and some clients show a message to their users.
     * Until one has worked, the first half of the probes are messages, the rest `id-checker`.
     */
    function form(): ProbeForm {
      return history.probeForm ?? (ids.length < UDP_ATTEMPTS / 2 ? "message" : "id-checker");
    }

    async function probeAt(
      ip: string,
      id: string,
      asked: ProbeForm,
      over: Promise<Finding>,
    ): Promise<Finding> {
      const refused = Promise.withResolvers<Finding>();
      try {
        const sender = await connectUdp(ip, peerPort, (error) => refused.resolve(findingOf(error)), take);
        try {
          sender.send(encodeProbe({ host: canonicalHost(sender.address.address), port, id }, asked));
          return await Promise.race([over, refused.promise]);
        } finally {
          if (asked === "id-checker") linger(sender);
          else sender.close();
        }
      } catch (error) {
        return findingOf(error);
      }
    }

    function linger(sender: ConnectedSocket): void {
      senders.push(sender);
      lingering.add(sender);
      const [oldest] = lingering;
      if (lingering.size > MAX_WAITING && oldest) discard(oldest);
    }

    async function probe(deadline: number): Promise<Finding> {
      const id = Buffer.from(crypto.getRandomValues(new Uint8Array(ID_BYTES))).toString("hex");
      const asked = form();
      ids.push(id);
      waiting.set(id, () => {
        history.probeForm = asked;
        answered.resolve("alive");
      });
      const ended = Promise.withResolvers<Finding>();
      const timer = setTimeout(() => ended.resolve("silent"), deadline);
      try {
        const ips = await resolveContact(host, mayContact, AbortSignal.timeout(deadline));
        const over = Promise.race([answered.promise, ended.promise]);
        const findings = await Promise.all(ips.map((ip) => probeAt(ip, id, asked, over)));
        // One address that answers is enough; and it is no refusal while another may still answer.
        return (["alive", "silent"] as const).find((each) => findings.includes(each)) ?? "refused";
      } catch (error) {
        return findingOf(error);
      } finally {
        clearTimeout(timer);
      }
    }

    return {
      probe,
      end() {
        for (const id of ids) waiting.delete(id);
        for (const sender of senders) discard(sender);
      },
    };
  }

  function discard(sender: ConnectedSocket): void {
    if (lingering.delete(sender)) sender.close();
  }

  return {
    begin,
    close() {
      for (const sender of lingering) discard(sender);
      socket.close();
    },
  };
}

async function bind(type: "udp4" | "udp6", address: string) {
  const socket = createSocket({ type });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("error", reject);
  socket.bind({ port: 0, address }, resolve);
  await promise;
  socket.off("error", reject);
  socket.setRecvBufferSize(RECEIVE_BUFFER);
  return socket;
}

function findingOf(error: unknown): Finding {
  if (error instanceof DeniedAddress) return "denied";
  const code = errorCode(error);
  return code !== undefined && REFUSALS.includes(code) ? "refused" : "silent";
}
