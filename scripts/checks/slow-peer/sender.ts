/**
 * Writes to nine peers, and to a slow tenth if given its protocol: `bun sender.ts <ports in JSON> [protocol]`, started
 * with IPC. Each message from its parent requests a round, and the reply is the result.
 */
import { heapStats } from "bun:jsc";
import { createOutbox } from "../../../src/client/outbound/outbox.ts";

/** How long a round lasts, and how often it writes to each of the nine, in milliseconds. */
const ROUND_MS = 2000;
/** Messages this early in a round do not count, in milliseconds, because garbage collection has just run. */
const WARM_MS = 150;
const EVERY_MS = 5;
/** How often to write to the slow peer, if there is room, in milliseconds. */
const FEED_MS = 20;

const HOST = "127.0.0.1";
const SHORT = '{"user":"alice","text":"hello"}';

const ports: number[] = JSON.parse(process.argv[2] ?? "[]");
const slowProtocol = process.argv[3];
const outbox = createOutbox(async () => undefined);

if (slowProtocol !== undefined) void feed(slowProtocol);
process.on("message", async () => {
  const times = (await measure()).sort((a, b) => a - b);
  process.send?.({ p99: times[Math.floor(times.length * 0.99)], messages: times.length, ...memory() });
});

/** Delay of each message to the nine from when it was due, in milliseconds, so that our own stalls count, too. */
async function measure(): Promise<number[]> {
  const start = performance.now();
  const times: number[] = [];
  async function chat(i: number) {
    const to = { protocol: i % 2 === 1 ? "WEBSOCKET" : "HTTP", host: HOST, port: ports[i] ?? 0 };
    // Stagger the nine.
    for (let due = start + (i * EVERY_MS) / 9; due < start + ROUND_MS; due += EVERY_MS) {
      await Bun.sleep(Math.max(0, due - performance.now()));
      const { type } = await outbox.send(`peer ${i}`, to, SHORT);
      if (type !== "delivered") throw new Error(`not delivered: ${type}`);
      if (due > start + WARM_MS) times.push(performance.now() - due);
    }
  }
  await Promise.all(Array.from({ length: 9 }, (_, i) => chat(i)));
  return times;
}

/** Writes as much to the slow peer as the outbox accepts, each message different. */
async function feed(protocol: string): Promise<void> {
  const to = { protocol, host: HOST, port: ports[9] ?? 0 };
  for (let i = 0; ; i++) {
    await outbox.room();
    void outbox.send("slow", to, JSON.stringify({ user: "alice", text: `${i} `.repeat(10_000) }));
    await Bun.sleep(FEED_MS);
  }
}

/** The heap in use after a collection, and resident memory, in MB. */
function memory(): { heap: number; resident: number } {
  Bun.gc(true);
  // Includes memory that objects hold outside the heap (`extraMemorySize`).
  return { heap: heapStats().heapSize / 2 ** 20, resident: process.memoryUsage.rss() / 2 ** 20 };
}
