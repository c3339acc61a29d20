/**
 * How many messages a client's transport sends in a second, to one peer, with as many under way as it allows. The
 * rival keeps as many, and waits for the same: an answer, or on UDP 100 ms in which no refusal comes.
 */
import { join } from "node:path";
import { start } from "../processes.ts";
import { startBare } from "../rivals.ts";
import type { Row } from "../row.ts";

const protocols = { http: "HTTP", websocket: "WEBSOCKET", udp: "UDP" };

export const sendingRows: Row[] = Object.entries(protocols).map(([name, protocol]) => ({
  name: `send-${name}`,
  title: `sending by ${protocol === "WEBSOCKET" ? "WebSocket" : protocol}, each settled`,
  unit: "messages/s",
  better: "more",
  targets: [{ rival: "bare", ratio: protocol === "UDP" ? 0.95 : 0.9 }],
  async open() {
    const receiver = await startBare(`bare-${name}`);
    const port = /\d+$/.exec(receiver.ready)?.[0] ?? "";
    const script = join(import.meta.dir, "../talk-sending.ts");
    const talk = await start([process.execPath, script, protocol, port], /^ready with (\d+)/);
    const bare = await startBare("bare-sending", protocol, port, talk.ready);
    const sides = Object.entries({ talk, bare });
    return sides.map(([side, { pid, ask, stop }]) => ({
      name: side,
      pid,
      sample: async (seconds) => Number(await ask(String(seconds))),
      close: async () => void (await Promise.all([stop(), receiver.stop()])),
    }));
  },
}));
