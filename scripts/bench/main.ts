/**
 * Measures Talk against rivals: `bun run bench [row …] [--json] [--quick] [--chart file.svg]`. Absolute figures depend on
 * the machine; ratios between programs that take turns in the same run hardly do.
 */
import { type ArgsDef, defineCommand } from "citty";
import { checkFlags, runMain } from "../../src/core/cli.ts";
import { UsageError } from "../../src/core/errors.ts";
import { suggest } from "../../src/core/suggest.ts";
import { describeMachine } from "../machine.ts";
import { drawChart } from "./chart.ts";
import { growthRows } from "./growth.ts";
import { generator } from "./load.ts";
import { type MeasureOptions, measure } from "./measure.ts";
import { endAll } from "./processes.ts";
import { formatReport, type Report } from "./report.ts";
import { NotMeasured, type Row } from "./row.ts";
import { eventRows } from "./rows/events.ts";
import { ktorRows } from "./rows/ktor.ts";
import { memoryRows } from "./rows/memory.ts";
import { receivingRows } from "./rows/receiving.ts";
import { registryRows } from "./rows/registry.ts";
import { sendingRows } from "./rows/sending.ts";
import { startingRows } from "./rows/starting.ts";

const rows: Row[] = [
  ...registryRows,
  ...eventRows,
  ...ktorRows,
  ...receivingRows,
  ...sendingRows,
  ...memoryRows,
  ...startingRows,
];
const named = [...rows, ...growthRows];

const flags = {
  quick: { type: "boolean", description: "3 rounds of 1 s instead of 7 of 2 s" },
  json: { type: "boolean", description: "write all figures as JSON" },
  chart: {
    type: "string",
    description: "also draw the ratios into this file",
    valueHint: "file.svg",
  },
  "row...": { type: "positional", required: false, description: "what to measure; all rows if omitted" },
} satisfies ArgsDef;

const command = defineCommand({
  meta: {
    name: "bun run bench",
    description: "Measures Talk against the least code that does the same job",
  },
  args: flags,
  async run({ args }) {
    checkFlags(args, flags);
    for (const word of args._) checkName(word);
    const wanted = ({ name }: { name: string }) => args._.length === 0 || args._.includes(name);
    const options: MeasureOptions = {
      rounds: args.quick ? 3 : 7,
      seconds: args.quick ? 1 : 2,
      onSample: ({ name, unit }, round, side, value) =>
        console.error(
          `${name}, ${round === 0 ? "warming up" : `round ${round}`}: ${side.name} ${value.toPrecision(4)} ${unit}`,
        ),
    };
    const report: Report = {
      machine: describeMachine(),
      generator,
      rounds: options.rounds,
      rows: [],
      growth: [],
      notMeasured: {},
    };
    async function attempt(name: string, run: () => Promise<unknown>): Promise<void> {
      try {
        await run();
      } catch (error) {
        if (!(error instanceof NotMeasured)) throw error;
        report.notMeasured[name] = error.message;
      } finally {
        // A row that failed to open may have left processes running.
        endAll();
      }
    }

    for (const row of rows.filter(wanted)) {
      await attempt(row.name, async () => report.rows.push(await measure(row, options)));
    }
    for (const { name, grow } of growthRows.filter(wanted)) {
      await attempt(name, async () => report.growth.push(await grow(options)));
    }
    console.log(args.json ? JSON.stringify(report, null, 2) : formatReport(report).trimEnd());
    if (args.chart !== undefined) await Bun.write(args.chart, drawChart(report));
    process.exit(0);
  },
});

function checkName(word: string): void {
  const names = named.map(({ name }) => name);
  if (names.includes(word)) return;
  const meant = suggest(word, names);
  throw new UsageError(`there is no row ${word}; ${meant ? `did you mean ${meant}?` : "see --help"}`);
}

const width = Math.max(...named.map(({ name }) => name.length));
const more = [
  "ROWS",
  "",
  ...named.map(({ name, title }) => `  ${name.padStart(width)}    ${title}`),
  "",
  "The first run installs the rivals' packages beside the benchmark. The whole table needs wrk, redis-server and node; without wrk, a slower generator makes the load. Ktor needs java, mvn and taskset. Rows whose tools are missing are skipped.",
].join("\n");

await runMain(command, process.argv.slice(2), { more });
