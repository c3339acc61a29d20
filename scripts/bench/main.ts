/**
 * Talk beside what else does its job, measured: `bun run bench [row …] [--json] [--quick] [--chart file.svg]`. The figures
 * depend on the machine; the ratios, of programs that take turns in the same run, hardly do.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { drawChart } from "./chart.ts";
import { growthRows } from "./growth.ts";
import { generator } from "./load.ts";
import { type MeasureOptions, measure } from "./measure.ts";
import { formatReport, type Report } from "./report.ts";
import { NotMeasured, type Row } from "./row.ts";
import { memoryRows } from "./rows/memory.ts";
import { receivingRows } from "./rows/receiving.ts";
import { registryRows } from "./rows/registry.ts";
import { sendingRows } from "./rows/sending.ts";
import { startingRows } from "./rows/starting.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    chart: { type: "string" },
  },
});

const rows: Row[] = [...registryRows, ...receivingRows, ...sendingRows, ...memoryRows, ...startingRows];
const names = [...rows.map(({ name }) => name), ...Object.keys(growthRows)];
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) {
  process.stderr.write(`error: there is no row ${unknown}; the rows are ${names.join(", ")}\n`);
  process.exit(2);
}
const wanted = (name: string) => positionals.length === 0 || positionals.includes(name);
process.env.NO_PROXY = "*";

const options: MeasureOptions = {
  rounds: flags.quick ? 3 : 7,
  seconds: flags.quick ? 1 : 2,
  onSample: ({ name, unit }, round, side, value) =>
    process.stderr.write(
      `${name}, ${round === 0 ? "warming up" : `round ${round}`}: ${side.name} ${value.toPrecision(4)} ${unit}\n`,
    ),
};
const report: Report = {
  machine: `Bun ${Bun.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${process.platform}`,
  generator,
  rounds: options.rounds,
  rows: [],
  growth: [],
  notMeasured: {},
};

for (const row of rows.filter(({ name }) => wanted(name))) {
  await attempt(row.name, async () => report.rows.push(await measure(row, options)));
}
for (const [name, grow] of Object.entries(growthRows).filter(([name]) => wanted(name))) {
  await attempt(name, async () => report.growth.push(await grow(options)));
}
process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report));
if (flags.chart !== undefined) await Bun.write(flags.chart, drawChart(report));
process.exit(0);

async function attempt(name: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof NotMeasured)) throw error;
    report.notMeasured[name] = error.message;
  }
}
