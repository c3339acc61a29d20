/**
 * Several registries on one store agree: `bun scripts/checks/replicas.ts [sqlite|redis] [scale] [seed]`.
 *
 * Three on a Redis of their own, or two on one SQLite file. At scale 1: 1,000 simultaneous POSTs for each of a hundred
 * names; 10,000 writes, each followed at once by reads through the others; the checking registry killed among live users;
 * Redis killed, stopped for 30 s, and restarted empty. Exits 1 if a name was given twice, an answer was older than a
 * write, a user was not probed once per period, or a request hung.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "../../test/helpers/random.ts";
import { startRedis } from "../../test/helpers/redis.ts";
import { contest } from "./replicas/contest.ts";
import { freshness } from "./replicas/freshness.ts";
import { outages } from "./replicas/outages.ts";
import { periods } from "./replicas/periods.ts";
import { PATIENT } from "./shared/ask.ts";
import { startRegistry } from "./shared/registry.ts";

const kind = process.argv[2] ?? "redis";
const [scale = 1, seed = 1] = process.argv.slice(3).map(Number);
const random = createRandom(seed);
process.env.NO_PROXY = "*";

const folder = mkdtempSync(join(tmpdir(), "talk-replicas-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const redis = kind === "redis" ? await startRedis() : undefined;
/** Two stores, so that the live users have one to themselves. */
const stores = redis
  ? [redis.url, redis.url.replace(/0$/, "1")]
  : ["a.db", "b.db"].map((name) => `sqlite:${join(folder, name)}`);
const [store = "", checkedStore = ""] = stores;
const replicas = redis ? 3 : 2;
const all: string[] = [];

const registries = await Promise.all(Array.from({ length: replicas }, () => startRegistry(store, PATIENT)));
const urls = registries.map(({ url }) => url);
const names = Math.ceil(100 * scale);
report(`one name, 1,000 POSTs`, `${names} names`, await contest(urls, names, 1000));
const writes = Math.ceil(10_000 * scale);
report("a write, then reads", `${writes} writes`, await freshness(urls, writes, random));
for (const registry of registries) await registry.end();

const checked = await periods(checkedStore, replicas, Math.max(2, Math.ceil(8 * scale)));
const { probes, shortest, longest, killed } = checked;
report(
  "checks every 3 s ± 20 %",
  `${probes} probes ${(shortest / 1000).toFixed(2)} to ${(longest / 1000).toFixed(2)} s apart, checking registry killed ${killed} times`,
  checked.faults,
);
if (redis) {
  const { summary, faults } = await outages(redis, replicas, scale, random);
  for (const [what, found] of summary) report(what, found, []);
  report("Redis away", "as above", faults);
}
for (const fault of all.slice(0, 20)) process.stdout.write(`FAULT: ${fault}\n`);
process.exit(all.length === 0 ? 0 : 1);

function report(what: string, found: string, faults: string[]): void {
  all.push(...faults);
  process.stdout.write(`${what.padEnd(24)}${found}, ${faults.length} faults\n`);
}
