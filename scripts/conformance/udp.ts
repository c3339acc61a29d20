import { atMost } from "../../src/core/clock.ts";
import { connectUdp, localAddressTowards } from "../../src/core/udp.ts";
import { Mismatch } from "./row.ts";

/** How often a probe is sent, and how long each may wait for its answer, in milliseconds: datagrams get lost. */
const ATTEMPTS = 3;
const ANSWER_MS = 1000;

interface Place {
  host: string;
  port: number;
}

export async function sendDatagram({ host, port }: Place, body: string): Promise<void> {
  const socket = await connectUdp(host, port, () => {});
  socket.send(body);
  socket.close();
}

/** Asks as a registry does. @throws Mismatch unless a datagram with the id comes back */
export async function probe({ host, port }: Place): Promise<void> {
  const id = crypto.randomUUID().replaceAll("-", "");
  const own = await localAddressTowards(host);
  const answered = Promise.withResolvers<boolean>();
  let received = "nothing";
  const answers = await Bun.udpSocket({
    hostname: own,
    port: 0,
    socket: {
      data(_, datagram) {
        received = datagram.toString().slice(0, 200);
        if (received.includes(id)) answered.resolve(true);
      },
      error() {},
    },
  });
  const text = JSON.stringify({ host: own, port: answers.port, id });
  const body = JSON.stringify({ user: "healthCheck", text });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await sendDatagram({ host, port }, body);
      if (await atMost(ANSWER_MS, answered.promise)) return;
    }
    throw new Mismatch("a datagram that contains the id", body, received);
  } finally {
    answers.close();
  }
}
