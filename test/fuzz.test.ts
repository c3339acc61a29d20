import { expect, test } from "bun:test";
import { start } from "./helpers/program.ts";

test("1,000 fuzzed requests, 1,000 frames and 10,000 datagrams find no fault", async () => {
  const run = start("scripts/fuzz/main.ts", ["1", "0.01"]);
  await run.sees("0 faults with seed 1");
  expect(await run.exited).toBe(0);
});
