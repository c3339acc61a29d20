/**
 * A registry with very many users: `bun scripts/checks/users.ts [users] [store]`.
 *
 * By default 100,000, on a temporary SQLite file. Prints memory, the times of the first and the next list, and how long a
 * start takes with all of them. Exits 1 if not all are listed.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask, PATIENT, silentAddress } from "./shared/ask.ts";
import { progress } from "./shared/progress.ts";
import { type RegistryProcess, startRegistry } from "./shared/registry.ts";

/** Concurrent requests. */
const LANES = 64;

const users = Number(process.argv[2] ?? 100_000);
const folder = mkdtempSync(join(tmpdir(), "talk-users-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const store = process.argv[3] ?? `sqlite:${join(folder, "users.db")}`;
process.env.NO_PROXY = "*";

let registry = await startRegistry(store, PATIENT);
const empty = megabytes(registry);
let next = 0;
const began = performance.now();
await Promise.all(
  Array.from({ length: LANES }, async () => {
    while (next < users) {
      const i = next++;
      const { status } = await ask(registry.url, "PUT", `/v1/users/user-${i}`, {
        body: silentAddress(1 + (i % 65_000)),
      });
      if (status !== 200) throw new Error(`user ${i} was answered ${status}`);
      if (i % 1000 === 999) progress(i + 1, users, "users");
    }
  }),
);
const registered = performance.now() - began;
const first = await ask(registry.url, "GET", "/v1/users");
const second = await ask(registry.url, "GET", "/v1/users");
const unchanged = await ask(registry.url, "GET", "/v1/users", { etag: second.etag });
await ask(registry.url, "PUT", "/v1/users/user-0", { body: silentAddress(1) });
const changed = await ask(registry.url, "GET", "/v1/users");
const full = megabytes(registry);

await registry.end("SIGTERM");
const stopped = performance.now();
registry = await startRegistry(store, PATIENT);
const started = performance.now() - stopped;
const again = await ask(registry.url, "GET", "/v1/users");
const restarted = megabytes(registry);
await registry.end();

const listed = Math.min(Object.keys(first.json).length, Object.keys(again.json).length);
process.stdout.write(
  [
    `registered              ${users} by PUT in ${(registered / 1000).toFixed(1)} s`,
    `resident                ${full} MB with all, ${empty} MB with none, ${restarted} MB after a start`,
    `first list              ${first.ms.toFixed(0)} ms; the next ${second.ms.toFixed(0)} ms; 304 in ${unchanged.ms.toFixed(1)} ms; after a change ${changed.ms.toFixed(0)} ms`,
    `start with all          ${started.toFixed(0)} ms, and the first list then ${again.ms.toFixed(0)} ms`,
    `listed                  ${listed} of ${users}`,
    "",
  ].join("\n"),
);
process.exit(listed === users && unchanged.status === 304 ? 0 : 1);

/** The registry's resident memory; 0 without /proc. */
function megabytes({ pid }: RegistryProcess): number {
  try {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Math.round(Number(kilobytes) / 1024);
  } catch {
    return 0;
  }
}
