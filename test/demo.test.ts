import { expect, test } from "bun:test";
import { join } from "node:path";
import { root, start } from "./helpers/program.ts";
import { openScreen, setsid } from "./helpers/screen.ts";

test("the demo talks to a bot on each protocol, and exits 0", async () => {
  const demo = start("scripts/demo.ts");
  demo.endInput();
  for (const bot of ["echo-http", "echo-websocket", "echo-udp"]) await demo.sees(`${bot}: hello ${bot}`);
  expect(await demo.exited).toBe(0);
});

test.skipIf(!setsid)("in a terminal the demo says what to try, in rows of 80 columns or less", async () => {
  const screen = openScreen([process.execPath, join(root, "scripts/demo.ts")], { columns: 200, rows: 50 });
  await screen.contains("(you)");
  const rows = screen.rows();
  const intro = rows.slice(
    0,
    rows.findIndex((row) => row.includes("you are ")),
  );
  expect(intro.join("\n")).toContain("Try :user echo-http, then say hello.");
  expect(intro.filter((row) => row.length > 80)).toEqual([]);
});
