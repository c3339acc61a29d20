import { expect, test } from "bun:test";
import { start } from "./helpers/program.ts";

test("the demo talks to a bot on each protocol, and exits 0", async () => {
  const demo = start("scripts/demo.ts");
  demo.endInput();
  for (const bot of ["echo-http", "echo-websocket", "echo-udp"]) await demo.sees(`${bot}: hello ${bot}`);
  expect(await demo.exited).toBe(0);
});
