/**
 * All readers of the event stream end up with the registry's list: `bun scripts/checks/events.ts [memory|sqlite|redis]
 * [changes] [seed]`, by default sqlite and 100,000. Eight writers change their own users at random, through two registries
 * on one store (memory: one), which are killed with kill -9 and restarted meanwhile. Readers come and go, are slow, are
 * disconnected, and resume with Last-Event-ID at any registry. Exits 1 if an event contradicts a reader's list, or a list
 * differs from the registry's at the end.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEventStream } from "../../src/client/registry/event-stream.ts";
import { applyEvent } from "../../test/helpers/event-stream.ts";
import { freePort } from "../../test/helpers/port.ts";
import { createRandom } from "../../test/helpers/random.ts";
import { startRedis } from "../../test/helpers/redis.ts";
import { PATIENT } from "./shared/ask.ts";
import { progress } from "./shared/progress.ts";
import { startRegistry } from "./shared/registry.ts";

const WRITERS = 8;
const USERS_PER_WRITER = 20;
const READERS = 12;
/** Kills in all. */
const KILLS = 6;
const PAUSES = 20;
const PAUSE_MS = 400;
const MAX_CATCH_UP_MS = 15_000;

const [kind = "sqlite"] = process.argv.slice(2);
const [changes = 100_000, seed = 1] = process.argv.slice(3).map(Number);
const random = createRandom(seed);
process.env.NO_PROXY = "*";

const folder = mkdtempSync(join(tmpdir(), "talk-events-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const redis = kind === "redis" ? await startRedis() : undefined;
const store = redis?.url ?? (kind === "memory" ? "memory:" : `sqlite:${join(folder, "users.db")}`);
const ports = Array.from({ length: kind === "memory" ? 1 : 2 }, () => freePort());
const registries = await Promise.all(ports.map(start));
const urls = ports.map((port) => `http://127.0.0.1:${port}`);
const pick = () => urls[Math.floor(random() * urls.length)] ?? "";

const faults: string[] = [];
let done = 0;
let events = 0;
let streams = 0;
let resumed = 0;
let writing = true;
let pausedUntil = 0;
let wantedId: string | undefined;

const began = performance.now();
const readers = Array.from({ length: READERS }, (_, i) => follow(i));
await Promise.all([...Array.from({ length: WRITERS }, (_, i) => write(i)), kill()]);
writing = false;
const written = performance.now();
const list = JSON.stringify(sorted(await listOf(urls[0] ?? "")));
for (const url of urls) {
  if (JSON.stringify(sorted(await listOf(url))) !== list) faults.push(`${url} shows another list`);
}
const lists = await Promise.all(readers);
for (const [i, users] of lists.entries()) {
  if (JSON.stringify(sorted(users)) !== list) faults.push(`reader ${i} ended with a different list`);
}

for (const fault of faults.slice(0, 20)) process.stdout.write(`FAULT: ${fault}\n`);
process.stdout.write(
  [
    `changes                 ${done} in ${((written - began) / 1000).toFixed(0)} s, on ${kind}, ${urls.length} registries, ${KILLS} kill -9`,
    `readers                 ${READERS}, ${streams} streams, ${resumed} of them without a list; ${events} events`,
    `faults                  ${faults.length}`,
    "",
  ].join("\n"),
);
for (const registry of registries) await registry.end();
await redis?.stop();
process.exit(faults.length === 0 ? 0 : 1);

function start(port: number) {
  return startRegistry(store, [...PATIENT, "--port", String(port)]);
}

/** One writer: makes random changes, each answered before the next. */
async function write(writer: number): Promise<void> {
  for (let i = 0; i < changes / WRITERS; ) {
    const path = `/v1/users/w${writer}-${Math.floor(random() * USERS_PER_WRITER)}`;
    const address = { protocol: "UDP", host: "127.0.0.1", port: 1 + Math.floor(random() * 60_000) };
    const removes = random() < 0.3;
    try {
      const answer = await fetch(pick() + path, {
        method: removes ? "DELETE" : "PUT",
        ...(!removes && { headers: { "content-type": "application/json" }, body: JSON.stringify(address) }),
      });
      await answer.text();
      if (!answer.ok) throw new Error(`${answer.status}`);
    } catch {
      // The registry was killed, or is restarting.
      await Bun.sleep(20);
      continue;
    }
    i++;
    // Pause now and then, so that some readers resume at a state they know.
    if (done % Math.ceil(changes / PAUSES) === 0) pausedUntil = performance.now() + PAUSE_MS;
    while (performance.now() < pausedUntil) await Bun.sleep(PAUSE_MS / 4);
    if (++done % 500 === 0) progress(done, changes, `changes, ${events} events, ${faults.length} faults`);
  }
}

/** Kills a registry at random moments and starts it again. */
async function kill(): Promise<void> {
  for (let i = 1; i <= KILLS; i++) {
    while (done < (i * changes) / (KILLS + 1)) await Bun.sleep(10);
    const n = i % registries.length;
    await registries[n]?.end();
    await Bun.sleep(random() * 300);
    registries[n] = await start(ports[n] ?? 0);
  }
}

/** One reader. Resolves to its list once it is up to date, or has had time to be. */
async function follow(reader: number): Promise<Record<string, unknown>> {
  const users = new Map<string, unknown>();
  const isSlow = reader % 4 === 1;
  let id: string | undefined;
  let isWhole = false;
  while (!isWhole) {
    isWhole = await isUpToDate(id);
    if (isWhole) break;
    const stop = new AbortController();
    const life = setTimeout(() => stop.abort(), 50 + random() * (writing ? 2000 : MAX_CATCH_UP_MS));
    try {
      const response = await fetch(`${pick()}/v1/events`, {
        signal: stop.signal,
        headers: id === undefined ? {} : { "last-event-id": id },
      });
      if (!response.ok || !response.body) throw new Error(`${response.status}`);
      streams++;
      let isFirst = id !== undefined;
      for await (const batch of readEventStream(response.body, { limit: 1e8, onRetry() {} })) {
        for (const event of batch) {
          if (isFirst && event.type !== "users") resumed++;
          isFirst = false;
          events++;
          try {
            applyEvent(users, event);
          } catch (error) {
            faults.push(`reader ${reader}: ${error instanceof Error ? error.message : error}`);
          }
          id = event.id;
        }
        if (isSlow) await Bun.sleep(random() * 30);
        isWhole = await isUpToDate(id);
        if (isWhole) break;
      }
    } catch {
      // Disconnected by us, or by a kill.
    }
    clearTimeout(life);
    stop.abort();
    if (!writing && performance.now() - written > MAX_CATCH_UP_MS) break;
    if (!isWhole) await Bun.sleep(random() * 100);
  }
  return Object.fromEntries(users);
}

/** Whether writing has ended and `id` is the final state. */
async function isUpToDate(id: string | undefined): Promise<boolean> {
  if (writing || id === undefined) return false;
  wantedId ??= await currentId();
  return id === wantedId;
}

async function currentId(): Promise<string | undefined> {
  const response = await fetch(`${urls[0]}/v1/events`);
  // Leaving the loop cancels the stream.
  for await (const [event] of readEventStream(response.body ?? new Blob().stream(), {
    limit: 1e8,
    onRetry() {},
  })) {
    if (event) return event.id;
  }
  return undefined;
}

async function listOf(url: string): Promise<Record<string, unknown>> {
  const list: unknown = await (await fetch(`${url}/v1/users/`)).json();
  return Object.fromEntries(Object.entries(list ?? {}));
}

function sorted(users: Record<string, unknown>): [string, unknown][] {
  return Object.entries(users).sort(([a], [b]) => (a < b ? -1 : 1));
}
