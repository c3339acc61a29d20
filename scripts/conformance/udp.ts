import { atMost } from "../../src/core/clock.ts";
import { encodeProbe, type ProbeForm } from "../../src/core/probe.ts";
import { connectUdp, localAddressTowards } from "../../src/core/udp.ts";
import { Mismatch } from "./row.ts";

/** How often a probe of one form is sent, and how long each may wait for its answer, in milliseconds: datagrams get lost. */
const ATTEMPTS = 3;
const ANSWER_MS = 1000;

/** In this order: some clients end at `id-checker`. */
const FORMS: ProbeForm[] = ["message", "id-checker"];

interface Place {
  host: string;
  port: number;
}

/** A client on UDP, of which probes alone tell whether it is there. */
export interface UdpClient {
  send(body: string): Promise<void>;
  /** Asks as a registry does, in both forms until one is answered, and then in that one. @throws Mismatch if none is */
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
    // The answer to `id-checker` comes back to where it was sent from.
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

/** A port that was closed meanwhile makes the next send throw; that no answer comes tells the same. */
function sendUnlessRefused(socket: { send(body: string): unknown }, body: string): void {
  try {
    socket.send(body);
  } catch {}
}
