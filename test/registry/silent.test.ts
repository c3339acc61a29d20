import { setDefaultTimeout, test } from "bun:test";
import { start } from "../helpers/program.ts";

// Two rounds of checks take longer than Bun's 5 s.
setDefaultTimeout(60_000);

test("hosts that take connections and never answer are removed, and nobody else, while lists are answered", async () => {
  const run = start("scripts/check-silent.ts", ["40", "5", "1", "1"]);
  await run.sees(/^silent removed +40 of 40/);
  await run.sees(/^healthy removed +0 of 5/);
  await run.exited;
});
