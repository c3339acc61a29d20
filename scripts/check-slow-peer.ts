/**
 * Whether one slow peer costs the others time or the sender memory: `bun scripts/check-slow-peer.ts [rounds]` writes
 * to nine peers, with and without a tenth that takes one byte a second, over HTTP and over WebSocket. Exits 1 if the
 * 99th percentile of the nine is more than 10 % above that without it, or memory more than 1 MB.
 */
import { createServer, type Socket } from "node:net";
import { createOutbox, type Outbox } from "../src/client/outbox.ts";

const rounds = Number(process.argv[2] ?? 20);

/** What the slow peer may cost. */
const SLOWER = 1.1;
const MEMORY_MB = 1;

/** How long one round lasts, in milliseconds, and how often each of the nine is written to in it. */
const ROUND_MS = 1000;
const EVERY_MS = 5;

const HOST = "127.0.0.1";
const SHORT = '{"user":"alice","text":"hello"}';
const LONG = JSON.stringify({ user: "alice", text: "x".repeat(60_000) });

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
    const memory: number[] = [];
    const [alone, both] = [createOutbox(async () => undefined), createOutbox(async () => undefined)];
    // The connections are made before it counts.
    for (const outbox of [alone, both]) await measure(outbox, ports, undefined);
    for (let round = 1; round <= rounds; round++) {
      without.push(...(await measure(alone, ports, undefined)));
      const before = megabytes();
      beside.push(...(await measure(both, ports, protocol)));
      memory.push(megabytes() - before);
      if (process.stderr.isTTY) process.stderr.write(`\r${protocol} ${round}/${rounds}\r`);
    }
    for (const outbox of [alone, both]) outbox.close();
    const [p99, slow99] = [percentile(without, 0.99), percentile(beside, 0.99)];
    const growth = percentile(memory, 0.5);
    if (slow99 > p99 * SLOWER || growth > MEMORY_MB) costly = true;
    process.stdout.write(
      `${protocol.padEnd(10)}p99 of nine peers ${p99.toFixed(2)} ms, beside a slow one ${slow99.toFixed(2)} ms ` +
        `(${beside.length} messages each); memory ${growth.toFixed(2)} MB more\n`,
    );
  }
  child.kill();
  process.exit(costly ? 1 : 0);
}

/** How long each message to the nine took, in milliseconds. @param slow the protocol of a tenth, that reads slowly */
async function measure(outbox: Outbox, ports: number[], slow: string | undefined): Promise<number[]> {
  const end = performance.now() + ROUND_MS;
  const times: number[] = [];
  const address = (protocol: string, i: number) => ({ protocol, host: HOST, port: ports[i] ?? 0 });
  if (slow !== undefined) void feed(outbox, () => void outbox.send("slow", address(slow, 9), LONG), end);
  async function chat(i: number) {
    const to = address(i % 2 === 1 ? "WEBSOCKET" : "HTTP", i);
    while (performance.now() < end) {
      const began = performance.now();
      const { type } = await outbox.send(`peer ${i}`, to, SHORT);
      if (type !== "delivered") throw new Error(`not delivered: ${type}`);
      times.push(performance.now() - began);
      await Bun.sleep(EVERY_MS);
    }
  }
  await Promise.all(Array.from({ length: 9 }, (_, i) => chat(i)));
  return times;
}

/** Writes as much as the outbox takes. */
async function feed(outbox: Outbox, write: () => void, end: number): Promise<void> {
  while (performance.now() < end) {
    write();
    await Promise.race([outbox.room(), Bun.sleep(end - performance.now())]);
  }
}

function megabytes(): number {
  Bun.gc(true);
  return process.memoryUsage.rss() / 1024 / 1024;
}

function percentile(values: number[], part: number): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;
}
