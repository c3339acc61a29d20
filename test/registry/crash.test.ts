/** Short forms of scripts/checks/crash.ts, replicas.ts, users.ts and events.ts. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { faultsOf, start } from "../helpers/program.ts";

// A busy machine is no reason to fail.
setDefaultTimeout(60_000);

const redis = Bun.which("redis-server");
const kinds = ["sqlite", ...(redis ? ["redis"] : [])];
if (!redis)
  process.stderr.write("skipped: crashes and replicas on Redis, because there is no redis-server here\n");

describe.each(kinds)("on %s", (kind) => {
  test("no acknowledged write is lost by kill -9", async () => {
    const run = start("scripts/checks/crash.ts", [kind, "6"]);
    expect(await faultsOf(run)).toEqual([]);
    expect(await run.sees(/^of them lost/)).toMatch(/ 0$/);
    expect(await run.exited).toBe(0);
  });

  test("one registration wins each name, no answer is stale, and each user is checked once per period", async () => {
    const run = start("scripts/checks/replicas.ts", [kind, "0.02"]);
    expect(await faultsOf(run)).toEqual([]);
    for (const what of ["one name", "a write", "checks every"]) {
      expect(await run.sees(new RegExp(`^${what}`))).toMatch(/, 0 faults$/);
    }
    expect(await run.exited).toBe(0);
  });
});

test("large numbers of users are all listed, even after a restart", async () => {
  const run = start("scripts/checks/users.ts", ["2000"]);
  expect(await run.sees(/^listed/)).toMatch(/ 2000 of 2000$/);
  expect(await run.exited).toBe(0);
});

test.each(["memory", ...kinds])(
  "all readers of the event stream end up with the registry's list, on %s, through kills, disconnects and slow readers",
  async (kind) => {
    const run = start("scripts/checks/events.ts", [kind, "600"]);
    expect(await faultsOf(run)).toEqual([]);
    await run.sees(/^faults +0$/);
    expect(await run.exited).toBe(0);
  },
);
