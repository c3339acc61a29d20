import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawChart } from "../../scripts/bench/chart.ts";
import { measure } from "../../scripts/bench/measure.ts";
import { formatReport } from "../../scripts/bench/report.ts";
import { installPackages } from "../../scripts/bench/rivals.ts";
import { NotMeasured, type Row } from "../../scripts/bench/row.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { start } from "../helpers/program.ts";

/** A row whose two sides give the given figures, the first of each to warm up; `order` is who was asked when. */
function row(better: Row["better"], talk: number[], bare: number[], ratio: number) {
  const order: string[] = [];
  const sides = { talk: [...talk], bare: [...bare] };
  const opened: Row = {
    name: "row",
    title: "a row <of> two",
    unit: "answers/s",
    better,
    targets: [{ rival: "bare", ratio }],
    open: async () =>
      Object.entries(sides).map(([name, samples]) => ({
        name,
        async sample() {
          order.push(name);
          return samples.shift() ?? Number.NaN;
        },
        close: async () => void order.push(`${name} closed`),
      })),
  };
  return { row: opened, order };
}

const twoRounds = { rounds: 2, seconds: 1 };

test("the sides of a row take turns, and the warm-up does not count", async () => {
  const { row: measured, order } = row("more", [1, 90, 80], [1, 100, 100], 0.8);
  const { sides } = await measure(measured, twoRounds);
  expect(order).toEqual(["talk", "bare", "talk", "bare", "talk", "bare", "talk closed", "bare closed"]);
  expect(sides.map(({ samples }) => samples)).toEqual([
    [90, 80],
    [100, 100],
  ]);
});

test.each([
  ["more", 1, true],
  ["more", 1.1, false],
  ["less", 1, true],
  ["less", 0.9, false],
] as const)("where %s is better, a ratio of 1 meets %d: %p", async (better, target, met) => {
  const measured = await measure(row(better, [1, 3.8, 4.2], [1, 4, 4], target).row, twoRounds);
  expect(measured.ratios).toMatchObject([{ rival: "bare", median: 1, low: 0.95, high: 1.05, target, met }]);
});

test("a row is measured again when two runs of the same side differ by more than 15 %", async () => {
  const { row: measured } = row("more", [1, 50, 100, 80, 80], [1, 100, 100, 100, 100], 0.8);
  const { sides, noisy, ratios } = await measure(measured, twoRounds);
  expect(noisy).toBe(false);
  expect(sides[0]?.samples).toEqual([80, 80]);
  expect(ratios).toMatchObject([{ median: 0.8, met: true }]);
});

test("a row that stays noisy gets no verdict, and says so", async () => {
  const wild = [1, 50, 100, 50, 100, 50, 100];
  const measured = await measure(row("more", wild, [1, 9, 9, 9, 9, 9, 9], 0.8).row, twoRounds);
  expect(measured).toMatchObject({ noisy: true, ratios: [{ met: undefined }] });
  const report = { machine: "", generator: "", rounds: 2, growth: [], notMeasured: {}, rows: [measured] };
  expect(formatReport(report)).toContain("too noisy to judge");
});

test("a row marked untilSteady is warmed up until two samples agree", async () => {
  const { row: measured } = row("more", [10, 50, 98, 100, 100, 100], [1, 1, 9, 9], 0.8);
  const { sides } = await measure({ ...measured, untilSteady: true }, twoRounds);
  expect(sides.map(({ samples }) => samples)).toEqual([
    [100, 100],
    [9, 9],
  ]);
});

test("a row that throws leaves no process running", async () => {
  const { row: broken, order } = row("more", [], [], 1);
  const failing = measure(broken, {
    ...twoRounds,
    onSample() {
      throw new Error("broken");
    },
  });
  expect(failing).rejects.toThrow("broken");
  await failing.catch(() => {});
  expect(order).toEqual(["talk", "talk closed", "bare closed"]);
});

test("the chart has a bar for each target, and escapes its titles", async () => {
  const measured = await measure(row("more", [1, 50, 50], [1, 100, 100], 0.8).row, twoRounds);
  const chart = drawChart({ machine: "here", rows: [measured] });
  expect(chart.match(/class="missed"/g)).toHaveLength(1);
  expect(chart).toContain("a row &#60;of&#62; two");
});

test("bun run bench measures the rows it is given, and writes them as JSON", async () => {
  const bench = start("scripts/bench/main.ts", ["help-clone", "--quick", "--json"]);
  expect(await bench.exited).toBe(0);
  const text = bench.lines.filter((line) => !/warming up|round \d/.test(line)).join("\n");
  const { rows } = JSON.parse(text);
  expect(rows.map(({ name }: { name: string }) => name)).toEqual(["help-clone"]);
  expect(rows[0].ratios[0]).toMatchObject({ rival: "bun -e 0", target: 2.5, median: expect.any(Number) });
});

test("its help names every row with its title, and what the whole table needs", async () => {
  const bench = start("scripts/bench/main.ts", ["--help"]);
  expect(await bench.exited).toBe(0);
  const text = bench.lines.join("\n");
  expect(text).toMatch(/^USAGE bun run bench \[OPTIONS\] \[ROW...\]$/m);
  expect(text).toMatch(/^ +put-sqlite {4}PUT a user, sqlite:, against a Map$/m);
  expect(text).toMatch(/^ +growth-check {4}checking one client$/m);
  expect(text).toMatch(/^ +--chart=<file.svg> {4}/m);
  expect(text).toContain("wrk, redis-server");
});

test.each([
  ["prompt", "error: there is no row prompt; did you mean prompt-clone?"],
  ["nothing-like-it", "error: there is no row nothing-like-it; see --help"],
  ["--qick", "error: unknown option --qick; did you mean --quick?"],
  ["--chart", "error: --chart needs a value; see --help"],
])("%s is a usage error", async (word, complaint) => {
  const bench = start("scripts/bench/main.ts", [word]);
  expect(await bench.exited).toBe(2);
  expect(bench.lines).toEqual([complaint]);
});

describe("the rivals' packages", () => {
  /** A package of one dependency, beside it, whose name is free for each run to choose. */
  function folder(dependency: string): string {
    const path = mkdtempSync(join(tmpdir(), "talk-bench-test-"));
    afterwards(() => rmSync(path, { recursive: true }));
    writeFileSync(join(path, "package.json"), JSON.stringify({ dependencies: { rival: dependency } }));
    return path;
  }

  test("are installed if some of them are missing", async () => {
    const path = folder("file:./of-ours");
    mkdirSync(join(path, "of-ours"));
    writeFileSync(join(path, "of-ours/package.json"), '{"name":"rival","version":"1.0.0"}');
    mkdirSync(join(path, "node_modules/another"), { recursive: true });
    Bun.spawnSync([process.execPath, "install", "--lockfile-only", "--cwd", path]);
    await installPackages(path);
    expect(existsSync(join(path, "node_modules/rival/package.json"))).toBe(true);
  });

  test("that cannot be installed skip their rows, and one line says what to do", async () => {
    const path = folder("file:./nowhere");
    const told = `^its rivals' packages could not be installed \\(.+\\); run bun install in ${path}$`;
    const failure = await installPackages(path).catch((error) => error);
    expect(failure).toBeInstanceOf(NotMeasured);
    expect(failure.message).toMatch(new RegExp(told));
  });
});
