/**
 * A crash loses no acknowledged write: `bun scripts/checks/crash.ts [sqlite|redis] [times] [seed]`.
 *
 * Sends kill -9 at random moments under load from POST, PUT and DELETE: 1,000 times to a registry on SQLite, or 200 times
 * to a registry and its Redis in turn (which then writes every command to disk). Exits 1 if an acknowledged write was
 * lost, a file damaged, or a registry took longer than 5 s to recover.
 */
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "../../test/helpers/random.ts";
import { startRedis } from "../../test/helpers/redis.ts";
import { createLane } from "./crash/lane.ts";
import { PATIENT } from "./shared/ask.ts";
import { progress } from "./shared/progress.ts";
import { startRegistry } from "./shared/registry.ts";

const LANES = 16;
const USERS_PER_LANE = 10;
/** The longest load before each kill, in milliseconds. */
const MAX_LOAD_MS = 250;
const MAX_RECOVERY_MS = 5000;

const kind = process.argv[2] ?? "sqlite";
const times = Number(process.argv[3] ?? (kind === "redis" ? 200 : 1000));
const random = createRandom(Number(process.argv[4] ?? 1));
process.env.NO_PROXY = "*";

const folder = mkdtempSync(join(tmpdir(), "talk-crash-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "users.db");
const redis =
  kind === "redis" ? await startRedis("--appendonly", "yes", "--appendfsync", "always") : undefined;
const store = redis?.url ?? `sqlite:${path}`;
const lanes = Array.from({ length: LANES }, (_, i) => createLane(`lane-${i}`, USERS_PER_LANE, random));
const faults: string[] = [];
let sound = 0;
let slowest = 0;

let registry = await start();
const began = performance.now();
for (let i = 0; i < times; i++) {
  const load = Promise.all(lanes.map((lane) => lane.run(registry.url)));
  await Bun.sleep(random() * MAX_LOAD_MS);
  if (redis && i % 2 === 0) {
    await redis.kill();
    // The load continues against a registry without its store.
    await Bun.sleep(random() * MAX_LOAD_MS);
    await redis.start();
    slowest = Math.max(slowest, await recovery());
    for (const lane of lanes) lane.stop();
    await load;
    faults.push(...(await lost()).map((fault) => `after kill ${i} of Redis: ${fault}`));
  } else {
    await registry.end();
    await load;
    if (!redis && new Database(path).query("PRAGMA integrity_check").values().join() === "ok") sound++;
    registry = await start();
    faults.push(...(await lost()).map((fault) => `after kill ${i} of the registry: ${fault}`));
  }
  progress(i + 1, times, `kills, ${acknowledged()} acknowledged, ${faults.length} faults`);
}
await registry.end();

for (const fault of faults.slice(0, 20)) process.stdout.write(`FAULT: ${fault}\n`);
process.stdout.write(
  [
    `kill -9                 ${times} times in ${((performance.now() - began) / 1000).toFixed(0)} s, on ${kind}`,
    `acknowledged writes     ${acknowledged()}`,
    `of them lost            ${faults.length}`,
    redis
      ? `well after Redis        in ${(slowest / 1000).toFixed(1)} s at most; ${sum("refused")} answers 503 meanwhile`
      : `integrity_check ok      ${sound} of ${times}`,
    "",
  ].join("\n"),
);
process.exit(faults.length === 0 && slowest < MAX_RECOVERY_MS && (redis || sound === times) ? 0 : 1);

function start() {
  return startRegistry(store, PATIENT);
}

async function lost(): Promise<string[]> {
  const list: unknown = await (await fetch(`${registry.url}/v1/users/`)).json();
  const users = Object.fromEntries(Object.entries(list ?? {}));
  return lanes.flatMap((lane) => lane.faults(users));
}

/** Time until the registry writes again, in milliseconds. */
async function recovery(): Promise<number> {
  const since = performance.now();
  while (performance.now() - since < 2 * MAX_RECOVERY_MS) {
    const answer = await fetch(`${registry.url}/v1/users/nobody`, { method: "DELETE" });
    await answer.text();
    if (answer.ok) break;
  }
  return performance.now() - since;
}

function acknowledged(): number {
  return sum("acknowledged");
}

function sum(key: "acknowledged" | "refused"): number {
  return lanes.reduce((all, lane) => all + lane[key], 0);
}
