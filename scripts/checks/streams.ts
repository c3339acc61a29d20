/**
 * Many readers of the event stream: `bun scripts/checks/streams.ts [readers] [seconds]`, by default 10,000 and 20 s of 100
 * changes a second. One reader is stalled, and other requests run throughout. A bare Bun.serve with as many streams shows
 * what Bun itself costs. Exits 1 if a stream costs over 6 kB more than that, other requests take over 20 ms (p99), a
 * change over 250 ms (p99), or the stalled reader is not disconnected.
 */
import { readFileSync } from "node:fs";
import { openReaders } from "../bench/generators/streams.ts";
import { type Started, start } from "../bench/processes.ts";
import { startBare } from "../bench/rivals.ts";
import { startRegistry } from "../bench/talk.ts";
import { ask } from "./shared/ask.ts";

const [readers = 10_000, seconds = 20] = process.argv.slice(2).map(Number);
const CHANGES_PER_SECOND = 100;
const MAX_BYTES_OVER_BARE = 6000;
const MAX_ANSWER_MS = 20;
const MAX_TOLD_MS = 250;

/** Users who move in turn, with addresses as long as possible, so that the stalled reader soon has 1 MB unsent. */
const USERS = 100;
const HOST = `${"h".repeat(60)}.`.repeat(4).slice(0, 240);

/** Users who move at once when only the stalled reader is left. */
const FLOOD = 500;

process.env.NO_PROXY = "*";
const faults: string[] = [];

const bare = await startBare("bare-events");
const bareBytes = await bytesPerStream(bare, "/events");
await bare.stop();

const registry = await startRegistry("--store", "memory:");
const emptyBytes = residentBytes(registry);
const followers = await openReaders(registry.ready, "/v1/events", readers);
await settled(registry);
const bytes = (residentBytes(registry) - emptyBytes) / readers;
const over = bytes - bareBytes;
if (over > MAX_BYTES_OVER_BARE) faults.push(`a stream costs ${over.toFixed(0)} bytes more than bare`);

// In their own processes: this one reads for all.
const stalled = await start(
  [process.execPath, `${import.meta.dir}/streams/stalled.ts`, registry.ready],
  /^(stalled)/m,
);
const asker = await start(
  [process.execPath, `${import.meta.dir}/streams/asker.ts`, registry.ready, String(seconds)],
  /^(asking)/m,
);
const told: number[] = [];
const end = performance.now() + seconds * 1000;
for (let i = 0; performance.now() < end; i++) {
  const due = performance.now() + 1000 / CHANGES_PER_SECOND;
  const port = 10_000 + (i % 50_000);
  const isMeasured = i % CHANGES_PER_SECOND === 0;
  const all = isMeasured ? followers.all(`"port":${port}`) : undefined;
  const began = performance.now();
  const changed = put(`user-${i % USERS}`, port);
  if (all) void all.then(() => told.push(performance.now() - began));
  await changed;
  if (performance.now() < due) await Bun.sleep(due - performance.now());
}
const answers: { count: number; p50: number; p99: number } = JSON.parse(await asker.ask("report"));
if ((await open()) < readers || followers.open() < readers) faults.push("readers were cut off");
followers.close();
// The stalled reader is disconnected at 1 MB unsent, on top of the kernel's own buffers, which are larger.
const deadline = performance.now() + 60_000;
for (let round = 1; (await open()) > 0 && performance.now() < deadline; round++) {
  await Promise.all(Array.from({ length: FLOOD }, (_, i) => put(`user-${i}`, round)));
}
const isCutOff = (await open()) === 0;
if (!isCutOff) faults.push("who takes nothing is still connected");
if (answers.p99 > MAX_ANSWER_MS) faults.push(`other requests take ${answers.p99.toFixed(1)} ms (p99)`);
const toldP99 = quantile(told, 0.99);
if (readers <= 1000 && toldP99 > MAX_TOLD_MS)
  faults.push(`a change takes ${toldP99.toFixed(0)} ms to reach all (p99)`);

process.stdout.write(
  [
    `readers                 ${readers}, ${CHANGES_PER_SECOND} changes a second for ${seconds} s`,
    `memory a stream         ${(bytes / 1000).toFixed(1)} kB, bare ${(bareBytes / 1000).toFixed(1)} kB`,
    `a change until the last p50 ${quantile(told, 0.5).toFixed(0)} ms, p99 ${toldP99.toFixed(0)} ms, of ${told.length}`,
    `other requests          p50 ${answers.p50.toFixed(1)} ms, p99 ${answers.p99.toFixed(1)} ms, of ${answers.count}`,
    `who takes nothing       ${isCutOff ? "cut off" : "still connected"}`,
    ...faults.map((fault) => `FAULT: ${fault}`),
    "",
  ].join("\n"),
);
await Promise.all([stalled.stop(), asker.stop(), registry.stop()]);
process.exit(faults.length === 0 ? 0 : 1);

async function bytesPerStream(server: Started, path: string): Promise<number> {
  const before = residentBytes(server);
  const streams = await openReaders(server.ready, path, readers);
  await settled(server);
  const after = residentBytes(server);
  streams.close();
  return (after - before) / readers;
}

/** Waits until memory stops growing. */
async function settled(server: Started): Promise<void> {
  for (let last = 0; residentBytes(server) !== last; ) {
    last = residentBytes(server);
    await Bun.sleep(1000);
  }
}

function residentBytes({ pid }: Started): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

function put(user: string, port: number) {
  return ask(registry.ready, "PUT", `/v1/users/${user}`, { body: { protocol: "HTTP", host: HOST, port } });
}

async function open(): Promise<number> {
  const metrics = await (await fetch(`${registry.ready}/metrics`)).text();
  return Number(/^talk_streams (\d+)$/m.exec(metrics)?.[1]);
}

function quantile(values: number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(part * values.length) - 1] ?? Number.NaN;
}
