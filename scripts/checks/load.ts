/**
 * The checker copes with many clients: `bun scripts/checks/load.ts [clients] [seed]`.
 *
 * Simulates clients on loopback, a third per protocol, one in twenty silent, and runs the checker in this process.
 * Exits 1 if a healthy client was removed, a silent one was not, or a limit was exceeded.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { readLines } from "../../src/client/read-lines.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Address } from "../../src/core/schemas.ts";
import { createChecker } from "../../src/registry/health/checker.ts";
import { openProbers } from "../../src/registry/health/probers.ts";
import { openStore } from "../../src/registry/stores/index.ts";
import { createRandom } from "../../test/helpers/random.ts";
import { progress } from "./shared/progress.ts";

const INTERVAL_MS = 150_000;
const WINDOW_MS = 30_000;
const LIMITS = { sockets: 200, megabytes: 100, lagMs: 20 };

const clients = Number(process.argv[2] ?? 10_000);
const random = createRandom(Number(process.argv[3] ?? 1));
process.env.NO_PROXY = "*";

interface Client {
  address: Address;
  silent: boolean;
}

const peers = Bun.spawn([process.execPath, `${import.meta.dir}/load/peers.ts`, String(clients)], {
  stdin: "pipe",
  stdout: "pipe",
  stderr: "inherit",
});
process.on("exit", () => peers.kill());
const { value: ready } = await readLines(peers.stdout).next();
const simulated: Client[] = JSON.parse(ready ?? "[]");

Bun.gc(true);
const idle = socketCount();
const idleMegabytes = megabytes();
const store = await openStore("memory:");
for (const [i, { address }] of simulated.entries()) await store.put(`client-${i}`, address);

const removed = new Set<string>();
const lags: number[] = [];
let probed = 0;
let mostSockets = 0;
let mostMegabytes = 0;
const { proberFor, close } = await openProbers();
const checker = createChecker({
  store,
  proberFor(address) {
    probed++;
    return proberFor(address);
  },
  log: (event) => void (event.type === "removed" && removed.add(event.user)),
  interval: INTERVAL_MS,
  window: WINDOW_MS,
  clock: systemClock,
  random,
});

const began = performance.now();
checker.start();
measureLag();
const silent = simulated.filter((client) => client.silent).length;
await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    mostSockets = Math.max(mostSockets, socketCount() - idle);
    mostMegabytes = Math.max(mostMegabytes, megabytes());
    const seconds = (performance.now() - began) / 1000;
    const note = `removed, ${probed} checks begun, ${seconds.toFixed(0)} s`;
    progress(Math.min(removed.size, silent), silent, note);
    if (removed.size < silent && seconds * 1000 < INTERVAL_MS) return;
    clearInterval(timer);
    resolve();
  }, 100);
});
const seconds = (performance.now() - began) / 1000;
checker.stop();
close();

const wronged = simulated.filter((client, i) => !client.silent && removed.has(`client-${i}`)).length;
const lagMs = lags.sort((a, b) => a - b)[Math.floor(lags.length * 0.99)] ?? 0;
process.stdout.write(
  [
    `clients                 ${clients}, a third per protocol, ${silent} silent`,
    `all silent removed in   ${seconds.toFixed(1)} s (window ${WINDOW_MS / 1000} s): ${removed.size - wronged} of ${silent}`,
    `healthy removed         ${wronged}`,
    `sockets at most         ${mostSockets}`,
    `resident at most        ${mostMegabytes.toFixed(0)} MB (${idleMegabytes.toFixed(0)} MB before)`,
    `event-loop lag, p99     ${lagMs.toFixed(1)} ms`,
    "",
  ].join("\n"),
);
const fine =
  wronged === 0 &&
  removed.size === silent &&
  // The probes' sockets, and the one for answers.
  mostSockets <= LIMITS.sockets + 1 &&
  mostMegabytes < LIMITS.megabytes &&
  lagMs < LIMITS.lagMs;
process.exit(fine ? 0 : 1);

/** Measures how late a 5 ms timer fires. */
function measureLag(): void {
  const asked = performance.now();
  setTimeout(() => {
    lags.push(performance.now() - asked - 5);
    measureLag();
  }, 5);
}

function socketCount(): number {
  let count = 0;
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:")) count++;
    } catch {
      // Closed since the listing.
    }
  }
  return count;
}

function megabytes(): number {
  return process.memoryUsage.rss() / 1024 / 1024;
}
