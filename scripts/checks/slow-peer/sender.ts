/**
 * Writes to nine peers, and to a slow tenth if its protocol is told: `bun sender.ts <ports in JSON> [protocol]`, started
 * with IPC. Each message from its parent asks for a round, and the answer tells how that was.
 */
import { heapStats } from "bun:jsc";
import { createOutbox } from "../../../src/client/outbound/outbox.ts";

/** How long one round lasts, in milliseconds, and how often each of the nine is written to in it. */
const ROUND_MS = 2000;
/** What is sent so soon in a round does not count, in milliseconds: the collector has just run, before each. */
const WARM_MS = 150;
const EVERY_MS = 5;
/** How often the slow one is written to, if there is room, in milliseconds. */
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

/** How long after it was due each message to the nine was delivered, in milliseconds: what holds us up counts, too. */
async function measure(): Promise<number[]> {
  const start = performance.now();
  const times: number[] = [];
  async function chat(i: number) {
    const to = { protocol: i % 2 === 1 ? "WEBSOCKET" : "HTTP", host: HOST, port: ports[i] ?? 0 };
    // Not all nine at the same moment.
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

/** Writes to the slow peer as much as the outbox takes; each message another, as people write them. */
async function feed(protocol: string): Promise<void> {
  const to = { protocol, host: HOST, port: ports[9] ?? 0 };
  for (let i = 0; ; i++) {
    await outbox.room();
    void outbox.send("slow", to, JSON.stringify({ user: "alice", text: `${i} `.repeat(10_000) }));
    await Bun.sleep(FEED_MS);
  }
}

/** What is in use after a collection, and what the system has given, in MB. */
function memory(): { heap: number; resident: number } {
  Bun.gc(true);
  // With what its objects keep outside of it: `extraMemorySize` is a part of it.
  return { heap: heapStats().heapSize / 2 ** 20, resident: process.memoryUsage.rss() / 2 ** 20 };
}
