import { atMost } from "../../src/core/clock.ts";
import { encodeProbe, type ProbeForm } from "../../src/core/probe.ts";
import { connectUdp, localAddressTowards } from "../../src/core/udp-socket.ts";
import { Mismatch } from "./row.ts";

/** Probes sent per form, since datagrams get lost, and how long each waits for its answer, in milliseconds. */
const ATTEMPTS = 3;
const ANSWER_MS = 1000;

/** In this order, because some clients crash on `id-checker`. */
const FORMS: ProbeForm[] = ["message", "id-checker"];

interface Place {
  host: string;
  port: number;
}

/** A UDP client; only its answers to probes show whether it is alive. */
export interface UdpClient {
  send(body: string): Promise<void>;
  /** Probes as a registry does: in both forms until one works, then in that one. @throws Mismatch if none does */
  probe(): Promise<void>;
  /** Whether a probe has ever been answered. */
  isProbed(): boolean;
}

export function openUdpClient({ host, port }: Place): UdpClient {
  let known: ProbeForm | undefined;

  async function send(body: string): Promise<void> {
    const socket = await connectUdp(host, port, () => {});
    socket.send(body);
    socket.close();
  }

  async function probe(): Promise<void> {
    const own = await localAddressTowards(host);
    const id = crypto.randomUUID().replaceAll("-", "");
    const answered = Promise.withResolvers<boolean>();
    let received = "nothing";
    const take = (datagram: Buffer) => {
      received = datagram.toString().slice(0, 200);
      if (received.includes(id)) answered.resolve(true);
    };
    const answers = await Bun.udpSocket({
      hostname: own,
      port: 0,
      socket: { data: (_, datagram) => take(datagram), error() {} },
    });
    // The answer to `id-checker` goes to the socket that sent it.
    const sender = await connectUdp(host, port, () => {}, take);
    const sent: string[] = [];
    try {
      for (const form of known ? [known] : FORMS) {
        const body = encodeProbe({ host: own, port: answers.port, id }, form);
        sent.push(body);
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
          sendUnlessRefused(sender, body);
          if (!(await atMost(ANSWER_MS, answered.promise))) continue;
          known = form;
          return;
        }
      }
      throw new Mismatch("a datagram that contains the id", sent.join(" "), received);
    } finally {
      answers.close();
      sender.close();
    }
  }

  return { send, probe, isProbed: () => known !== undefined };
}

/** Sending to a closed port throws; ignored, because the missing answer says the same. */
function sendUnlessRefused(socket: { send(body: string): unknown }, body: string): void {
  try {
    socket.send(body);
  } catch {}
}
