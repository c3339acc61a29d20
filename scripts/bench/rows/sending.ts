/**
 * How many messages a client's outbox sends per second, with as many in flight as keeping each peer's order allows. The
 * rival keeps as many in flight, and waits for the same: an answer, or on UDP 100 ms without a refusal.
 */
import { join } from "node:path";
import { start } from "../processes.ts";
import { startBare } from "../rivals.ts";
import type { Row } from "../row.ts";

export const sendingRows: Row[] = [
  row("send-http", "sending over HTTP, each answered", "HTTP", { ratio: 0.9, limit: "0" }),
  row("send-http-limited", "sending over HTTP, with the default limit", "HTTP", {
    ratio: 0.9,
    limit: "default",
  }),
  row("send-http-peers", "sending over HTTP to 8 peers at once", "HTTP", {
    ratio: 0.9,
    limit: "0",
    peers: 8,
  }),
  row("send-websocket", "sending over WebSocket, each answered", "WEBSOCKET", { ratio: 0.9, limit: "0" }),
  row("send-websocket-limited", "sending over WebSocket, with the default limit", "WEBSOCKET", {
    ratio: 0.9,
    limit: "default",
  }),
  row("send-udp", "sending over UDP, each settled", "UDP", { ratio: 0.95, limit: "0" }),
];

function row(
  name: string,
  title: string,
  protocol: string,
  { ratio, limit, peers = 1 }: { ratio: number; limit: string; peers?: number },
): Row {
  return {
    name,
    title,
    unit: "messages/s",
    better: "more",
    targets: [{ rival: "bare", ratio }],
    async open() {
      const receivers = await Promise.all(
        Array.from({ length: peers }, () => startBare(`bare-${protocol.toLowerCase()}`)),
      );
      const ports = receivers.map(({ ready }) => /\d+$/.exec(ready)?.[0] ?? "");
      const script = join(import.meta.dir, "../talk-sending.ts");
      const talk = await start([process.execPath, script, protocol, limit, ...ports], /^ready with (\d+)/);
      const bare = await startBare("bare-sending", protocol, talk.ready, ...ports);
      return Object.entries({ talk, bare }).map(([side, { pid, ask, stop }]) => ({
        name: side,
        pid,
        sample: async (seconds) => Number(await ask(String(seconds))),
        close: async () =>
          void (await Promise.all([stop(), ...receivers.map((receiver) => receiver.stop())])),
      }));
    },
  };
}
