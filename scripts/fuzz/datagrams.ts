/** Sends fuzzed datagrams to a client, which answers only a few probes. */
import type { Random } from "./chance.ts";
import { messageBytes } from "./messages.ts";

export const DATAGRAMS_PER_ATTEMPT = 100;

/** After this many bytes, half its receive buffer, the client gets a pause to catch up, in milliseconds. */
const BURST_BYTES = 50_000;
const PAUSE_MS = 1;

export async function datagramsAttempt({ hostname, port }: URL) {
  const socket = await Bun.udpSocket({
    connect: { hostname, port: Number(port) },
    socket: { data() {}, error() {} },
  });
  return async (random: Random): Promise<string> => {
    let bytesSent = 0;
    for (let i = 0; i < DATAGRAMS_PER_ATTEMPT; i++) {
      const bytes = messageBytes(random).subarray(0, 65_507);
      bytesSent += bytes.length;
      if (bytesSent > BURST_BYTES) {
        await Bun.sleep(PAUSE_MS);
        bytesSent = bytes.length;
      }
      try {
        socket.send(bytes);
      } catch {
        return "!refused";
      }
    }
    await Bun.sleep(PAUSE_MS);
    return "sent";
  };
}
