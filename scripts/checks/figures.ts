/**
 * Measures the limits in docs/performance.md: `bun run figures`.
 *
 * Runs each check in its own process and prints a Markdown table; a check that does not finish gets a row that says so.
 */
import { join } from "node:path";
import { type ArgsDef, defineCommand } from "citty";
import { readLines } from "../../src/client/read-lines.ts";
import { checkFlags, runMain, wholeNumber } from "../../src/core/cli.ts";
import { UsageError } from "../../src/core/errors.ts";
import { isRecord } from "../../src/core/schemas.ts";
import { describeMachine } from "../machine.ts";
import type { Figure } from "./shared/figure.ts";

/** Timeout of a check, in milliseconds; the longest takes a quarter of an hour on two cores. */
const MAX_MS = 7_200_000;

const MAX_SEED = 999_999_999;

/** The arguments of each check, for a full run and for a short one that only shows that it works. */
const checks: Record<string, { file: string; full: number[]; quick: number[] }> = {
  fuzz: { file: "../fuzz/main.ts", full: [1], quick: [0.01] },
  silent: { file: "silent.ts", full: [400, 20, 150, 30], quick: [40, 5, 1, 1] },
  "slow-peer": { file: "slow-peer.ts", full: [50], quick: [5] },
  memory: { file: "memory.ts", full: [10_000_000], quick: [100_000] },
};
const names = Object.keys(checks);

const flags = {
  checks: {
    type: "positional",
    required: false,
    description: `the checks to run: ${names.join(", ")}`,
    default: "all",
  },
  quick: { type: "boolean", description: "small numbers, which take two minutes and prove little" },
  seed: {
    type: "string",
    description: "the seed of the fuzzing, to repeat it",
    default: "random",
    valueHint: "number",
  },
} satisfies ArgsDef;

const command = defineCommand({
  meta: {
    name: "bun run figures",
    description: "Measures Talk's limits and prints them as a Markdown table. Exits 1 if one is not held",
  },
  args: flags,
  async run({ args }) {
    checkFlags(args, flags);
    const stranger = args._.find((name) => !names.includes(name));
    if (stranger !== undefined) throw new UsageError(`no check "${stranger}"; there are ${names.join(", ")}`);
    const seed =
      args.seed === flags.seed.default
        ? Math.floor(Math.random() * MAX_SEED)
        : wholeNumber("seed", args.seed, 0, MAX_SEED);

    const kind = args.quick ? "; a short run, with small numbers" : "";
    const figures: Figure[] = [];
    for (const name of args._.length > 0 ? args._ : names) {
      const check = checks[name];
      if (!check) continue;
      const given = [...(name === "fuzz" ? [seed] : []), ...(args.quick ? check.quick : check.full)];
      for await (const figure of figuresOf(name, [join(import.meta.dir, check.file), ...given.map(String)])) {
        figures.push(figure);
        console.error(`${figure.what}: ${figure.seen}${figure.held ? "" : " (NOT HELD)"}`);
        if (!figure.held) process.exitCode = 1;
      }
    }
    console.log(
      `${describeMachine()}, ${new Date().toISOString().slice(0, 10)}${kind}:\n\n${table(figures)}`,
    );
  },
});

/** The figures of a check, and a failed one if it did not finish. */
async function* figuresOf(name: string, script: string[]): AsyncGenerator<Figure> {
  const child = Bun.spawn([process.execPath, ...script, "--json"], {
    stdout: "pipe",
    stderr: "inherit",
    timeout: MAX_MS,
  });
  process.on("exit", () => child.kill());
  let told = 0;
  let held = true;
  for await (const line of readLines(child.stdout)) {
    const figure: unknown = JSON.parse(line);
    if (!isFigure(figure)) continue;
    told++;
    held &&= figure.held;
    yield figure;
  }
  await child.exited;
  const { exitCode, signalCode } = child;
  if (told > 0 && exitCode === (held ? 0 : 1)) return;
  const end = signalCode ? `by ${signalCode}` : `with exit code ${exitCode}`;
  yield { what: `the check ${name}`, asked: "comes to its end", seen: `ended ${end}`, held: false };
}

function isFigure(value: unknown): value is Figure {
  if (!isRecord(value) || typeof value.held !== "boolean") return false;
  return [value.what, value.asked, value.seen].every((text) => typeof text === "string");
}

/** A Markdown table with aligned columns. */
function table(figures: Figure[]): string {
  const rows = figures.map(({ what, asked, seen, held }) =>
    [what, asked, seen, held ? "yes" : "**no**"].map((cell) => cell.replaceAll("|", "\\|")),
  );
  const head = ["what", "asked for", "seen", "held"];
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => Bun.stringWidth(row[i] ?? ""))));
  const lines = [head, widths.map((width) => "-".repeat(width)), ...rows].map((row) =>
    row.map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - Bun.stringWidth(cell))),
  );
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

await runMain(command);
