/**
 * Whether one slow peer costs the others time or the sender memory: `bun scripts/check-slow-peer.ts [rounds]` writes
 * to nine peers, with and without a tenth that takes one byte a second, over HTTP and over WebSocket. Exits 1 if the
 * 99th percentile of the nine is more than 10 % above that without it, or memory more than 1 MB.
 */
import { heapStats } from "bun:jsc";
import { createServer, type Socket } from "node:net";
import { createOutbox, type Outbox } from "../src/client/outbox.ts";

const rounds = Number(process.argv[2] ?? 20);

/** What the slow peer may cost. */
const SLOWER = 1.1;
const MEMORY_MB = 1;

/** How long one round lasts, in milliseconds, and how often each of the nine is written to in it. */
const ROUND_MS = 1000;
/** What is sent so soon in a round does not count, in milliseconds: the collector has just run, before each. */
const WARM_MS = 150;
const EVERY_MS = 5;
/** How often the slow one is written to, if there is room, in milliseconds. */
const FEED_MS = 20;

const HOST = "127.0.0.1";
const SHORT = '{"user":"alice","text":"hello"}';

/** In a process of its own, so that the peers' work is not the sender's. */
if (process.argv[2] === "peers") await listen();
else await check();

async function listen(): Promise<void> {
  const answer = { status: "ok" };
  const ports = Array.from({ length: 9 }, (_, i) => {
    const server = Bun.serve({
      hostname: HOST,
      port: 0,
      fetch: (request, server) =>
        i % 2 === 1 && server.upgrade(request) ? undefined : Response.json(answer),
      websocket: { message: (socket) => void socket.send("OK") },
    });
    return server.port;
  });
  const slow = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("readable", () => greet(socket));
  });
  slow.listen(0, HOST, () => {
    const address = slow.address();
    process.stdout.write(`${JSON.stringify([...ports, typeof address === "object" && address?.port])}\n`);
  });
}

/** Takes a WebSocket if it is asked for one, and then reads one byte a second. */
function greet(socket: Socket): void {
  const key = /sec-websocket-key: (\S+)/i.exec(String(socket.read()))?.[1];
  // RFC 6455 §4.2.2.
  const accept = new Bun.CryptoHasher("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
  if (key !== undefined) socket.write(`${head}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  const timer = setInterval(() => void socket.read(1), 1000);
  socket.on("close", () => clearInterval(timer));
}

async function check(): Promise<void> {
  const child = Bun.spawn([process.execPath, import.meta.path, "peers"], { stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  const ports: number[] = JSON.parse(new TextDecoder().decode(value));
  let costly = false;
  for (const protocol of ["HTTP", "WEBSOCKET"]) {
    const without: number[] = [];
    const beside: number[] = [];
    const memory: { alone: number[]; beside: number[] } = { alone: [], beside: [] };
    const [alone, both] = [createOutbox(async () => undefined), createOutbox(async () => undefined)];
    // The connections are made before it counts.
    for (const outbox of [alone, both]) await measure(outbox, ports);
    const told = { go: false };
    void feed(both, { protocol, host: HOST, port: ports[9] ?? 0 }, told);
    for (let round = 1; round <= rounds; round++) {
      without.push(...(await measure(alone, ports)));
      memory.alone.push(megabytes());
      told.go = true;
      beside.push(...(await measure(both, ports)));
      told.go = false;
      memory.beside.push(megabytes());
      if (process.stderr.isTTY) process.stderr.write(`\r${protocol} ${round}/${rounds}\r`);
    }
    for (const outbox of [alone, both]) outbox.close();
    const [p99, slow99] = [percentile(without, 0.99), percentile(beside, 0.99)];
    // One round differs from the next; the least of many does not.
    const late = ({ length }: number[]) => Math.floor(length / 2);
    const [least, leastBeside] = [memory.alone, memory.beside].map((all) =>
      Math.min(...all.slice(late(all))),
    );
    const growth = (leastBeside ?? 0) - (least ?? 0);
    if (slow99 > p99 * SLOWER || growth > MEMORY_MB) costly = true;
    process.stdout.write(
      `${protocol.padEnd(10)}p99 of nine peers ${p99.toFixed(2)} ms, beside a slow one ${slow99.toFixed(2)} ms ` +
        `(${beside.length} messages each); memory ${growth.toFixed(2)} MB more\n`,
    );
  }
  child.kill();
  process.exit(costly ? 1 : 0);
}

/** How long each message to the nine took in a round, in milliseconds. */
async function measure(outbox: Outbox, ports: number[]): Promise<number[]> {
  const start = performance.now();
  const end = start + ROUND_MS;
  const times: number[] = [];
  async function chat(i: number) {
    const to = { protocol: i % 2 === 1 ? "WEBSOCKET" : "HTTP", host: HOST, port: ports[i] ?? 0 };
    while (performance.now() < end) {
      const began = performance.now();
      const { type } = await outbox.send(`peer ${i}`, to, SHORT);
      if (type !== "delivered") throw new Error(`not delivered: ${type}`);
      if (began > start + WARM_MS) times.push(performance.now() - began);
      await Bun.sleep(EVERY_MS);
    }
  }
  await Promise.all(Array.from({ length: 9 }, (_, i) => chat(i)));
  return times;
}

/** Writes to the slow peer as much as the outbox takes, while it is told to; each message another, as people write them. */
async function feed(
  outbox: Outbox,
  to: { protocol: string; host: string; port: number },
  told: { go: boolean },
) {
  for (let i = 0; ; i++) {
    await outbox.room();
    if (told.go)
      void outbox.send("slow", to, JSON.stringify({ user: "alice", text: `${i} `.repeat(10_000) }));
    await Bun.sleep(FEED_MS);
  }
}

/** What is in use after a collection, in MB; what a process keeps from the system differs by more than what is measured. */
function megabytes(): number {
  Bun.gc(true);
  const { heapSize, extraMemorySize } = heapStats();
  return (heapSize + extraMemorySize) / 1024 / 1024;
}

function percentile(values: number[], part: number): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;
}
