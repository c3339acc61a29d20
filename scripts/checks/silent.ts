/**
 * A registry copes with silent users: `bun scripts/checks/silent.ts [silent] [healthy] [interval s] [window s]`.
 *
 * Silent hosts accept connections but never answer; by default there are 400, and 20 healthy users, checked every 150 s
 * with a window of 30 s. Exits 1 if a healthy user was removed, a silent one outlived two checks (most users fail, so the
 * registry checks twice), or a list took 100 ms.
 */
import { givenNumbers, tell } from "./shared/figure.ts";
import { mute } from "./shared/mute.ts";
import { progress } from "./shared/progress.ts";
import { startRegistry } from "./shared/registry.ts";

const MAX_LIST_MS = 100;
const HOST = "127.0.0.1";
/** How often to fetch the list, in milliseconds. */
const ASK_EVERY_MS = 20;

const [silent = 400, healthy = 20, interval = 150, window = 30] = givenNumbers();
/** A check starts at most 1.2 intervals after the last, and takes its window, or twice that if all slots are busy. */
const limitSeconds = 2 * (1.2 * interval + 2 * window) + 10;

const registry = await startRegistry("memory:", [
  "--check-interval",
  String(interval),
  "--check-window",
  String(window),
]);
const { url } = registry;
const headers = { "content-type": "application/json" };

const ports = Array.from({ length: silent }, () => mute()).concat(
  Array.from({ length: healthy }, () => answering()),
);
for (const [i, port] of ports.entries()) {
  const user = i < silent ? `silent-${i}` : `healthy-${i - silent}`;
  const protocol = i % 2 === 0 ? "HTTP" : "WEBSOCKET";
  await fetch(`${url}/v1/users/${user}`, {
    method: "PUT",
    headers,
    body: JSON.stringify({ protocol, host: HOST, port }),
  });
}

const began = performance.now();
const took: number[] = [];
let users: string[] = [];
while (seconds() < limitSeconds) {
  const asked = performance.now();
  const list: unknown = await (await fetch(`${url}/v1/users/`)).json();
  took.push(performance.now() - asked);
  users = Object.keys(list ?? {});
  const left = users.filter((user) => user.startsWith("silent")).length;
  progress(silent - left, silent, `silent hosts removed in ${seconds().toFixed(0)} s`);
  if (left === 0) break;
  await Bun.sleep(ASK_EVERY_MS);
}
const elapsed = seconds();
await registry.end("SIGTERM");

const left = users.filter((user) => user.startsWith("silent")).length;
took.sort((a, b) => a - b);
const slowest = took.at(-1) ?? 0;
tell({
  what: `${silent} hosts that accept connections but never answer`,
  asked: `gone after two checks, ${interval} s ± 20 % apart: most fail at once`,
  seen: `${silent - left} gone after ${elapsed.toFixed(0)} s`,
  held: left === 0,
});
tell({
  what: `${healthy} healthy users among them`,
  asked: "none removed",
  seen: `${healthy - (users.length - left)} removed`,
  held: users.length - left === healthy,
});
const p99 = took[Math.floor(took.length * 0.99)] ?? 0;
tell({
  what: "`GET /v1/users/` meanwhile",
  asked: `each within ${MAX_LIST_MS} ms`,
  seen: `p99 ${p99.toFixed(1)} ms, at most ${slowest.toFixed(1)} ms, of ${took.length.toLocaleString("en")}`,
  held: slowest < MAX_LIST_MS,
});
process.exit();

function seconds(): number {
  return (performance.now() - began) / 1000;
}

function answering(): number {
  const server = Bun.serve({
    hostname: HOST,
    port: 0,
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response()),
    websocket: { message() {} },
  });
  return server.port ?? 0;
}
