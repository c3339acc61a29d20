import { expect, test } from "bun:test";
import { start } from "../helpers/program.ts";

test("healthy users stay among hosts that never answer, and the figures say so in a Markdown table", async () => {
  const figures = start("scripts/checks/figures.ts", ["--quick", "silent"]);
  expect(await figures.exited).toBe(0);
  expect(figures.lines.find((line) => line.startsWith("Bun"))).toMatch(
    /^Bun [\d.]+, \d+ × .+, \d{4}-\d\d-\d\d; a short run, with small numbers:$/,
  );
  const rows = figures.lines.filter((line) => line.startsWith("|"));
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  expect(cells[0]).toEqual(["", "what", "asked for", "seen", "held", ""]);
  expect(cells.slice(2).map((row) => row[4])).toEqual(["yes", "yes", "yes"]);
  expect(new Set(rows.map(({ length }) => length)).size).toBe(1);
});

test("a killed check becomes a row that says so, and the exit code is 1", async () => {
  const figures = start("scripts/checks/figures.ts", ["--quick", "memory"]);
  const children = async () => await Bun.file(`/proc/${figures.pid}/task/${figures.pid}/children`).text();
  let child = Number.parseInt(await children(), 10);
  while (!(child > 0)) child = Number.parseInt(await children(), 10);
  process.kill(child, "SIGKILL");
  expect(await figures.exited).toBe(1);
  expect(figures.lines.filter((line) => line.startsWith("|")).at(-1)).toBe(
    "| the check memory | comes to its end | ended by SIGKILL | **no** |",
  );
});

test("an unknown check is a usage error", async () => {
  const figures = start("scripts/checks/figures.ts", ["slow"]);
  expect(await figures.exited).toBe(2);
  expect(figures.lines).toEqual(['error: no check "slow"; there are fuzz, silent, slow-peer, memory']);
});
