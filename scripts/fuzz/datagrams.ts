/** Sends fuzzed datagrams to a client, which answers none but a few probes. */
import type { Random } from "./chance.ts";
import { messageBytes } from "./messages.ts";

/** Datagrams that an attempt sends; then it lets the client catch up, so that most arrive. */
export const DATAGRAMS_PER_ATTEMPT = 100;
const PAUSE_MS = 1;

export async function datagramsAttempt({ hostname, port }: URL) {
  const socket = await Bun.udpSocket({
    connect: { hostname, port: Number(port) },
    socket: { data() {}, error() {} },
  });
  return async (random: Random): Promise<string> => {
    for (let i = 0; i < DATAGRAMS_PER_ATTEMPT; i++) {
      const bytes = messageBytes(random);
      try {
        socket.send(bytes.subarray(0, 65_507));
      } catch {
        return "!refused";
      }
    }
    await Bun.sleep(PAUSE_MS);
    return "sent";
  };
}
