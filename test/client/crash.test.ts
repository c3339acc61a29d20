/** Short forms of scripts/checks/client-crash.ts and terminal-flood.ts. */
import { expect, test } from "bun:test";
import { faultsOf, start } from "../helpers/program.ts";

test("no line that was shown and no text that waits is lost by kill -9", async () => {
  const run = start("scripts/checks/client-crash.ts", ["6"]);
  expect(await faultsOf(run)).toEqual([]);
  expect(await run.sees(/^of those arrived/)).toMatch(/ lost 0$/);
  expect(await run.sees(/^faults/)).toMatch(/ 0$/);
  expect(await run.exited).toBe(0);
});

test("each message of a flood can be read", async () => {
  const run = start("scripts/checks/terminal-flood.ts", ["2000"]);
  expect(await run.sees(/^a flood of 2000 messages/)).toMatch(/: 2000 of 2000 \(held/);
  await run.exited;
});
