/** Formats the results as text. */
import type { Growth } from "./growth.ts";
import type { Measured } from "./measure.ts";

/** The results of a run. */
export interface Report {
  machine: string;
  generator: string;
  rounds: number;
  rows: Measured[];
  growth: Growth[];
  /** Rows that were not measured, with the reason. */
  notMeasured: Record<string, string>;
}

/** The benchmark's tables. */
export function formatReport({ machine, generator, rounds, rows, growth, notMeasured }: Report): string {
  const lines = [
    `${machine}; load by ${generator}; medians of ${rounds} rounds, with their lowest and highest`,
  ];
  if (rows.length > 0) {
    const cells = [
      ["row", "", "median", "low … high", "µs of CPU", "talk's ratio", "low … high", "target", "met"],
    ];
    for (const row of rows) {
      for (const [i, side] of row.sides.entries()) {
        const ratio = row.ratios.find(({ rival }) => rival === side.name);
        cells.push([
          i === 0 ? `${row.title} (${row.unit})` : "",
          side.name,
          figure(side.median),
          `${figure(side.low)} … ${figure(side.high)}`,
          side.cpuMicros === undefined ? "" : figure(side.cpuMicros),
          ratio ? ratio.median.toFixed(2) : "",
          ratio ? `${ratio.low.toFixed(2)} … ${ratio.high.toFixed(2)}` : "",
          ratio?.target ? `${row.better === "more" ? "≥" : "≤"} ${ratio.target}` : "",
          verdict(row, ratio?.met),
        ]);
      }
    }
    lines.push("", ...columns(cells));
  }
  for (const { title, unit, sizes, sides, met, rule } of growth) {
    const cells = [[`${title} (${unit}), by users`, ...sizes.map((size) => size.toLocaleString("en"))]];
    for (const { name, values } of sides) cells.push([name, ...values.map(figure)]);
    lines.push("", ...columns(cells), `${rule}: ${met ? "yes" : "NO"}`);
  }
  const missing = Object.entries(notMeasured).map(([name, why]) => `${name}: not measured: ${why}`);
  if (missing.length > 0) lines.push("", ...missing);
  return `${lines.join("\n")}\n`;
}

/** Whether a row met its target; empty without a target. */
function verdict({ noisy }: Measured, met: boolean | undefined): string {
  if (noisy) return "too noisy to judge";
  if (met === undefined) return "";
  return met ? "yes" : "NO";
}

/** A figure with three significant digits. */
function figure(value: number): string {
  if (value >= 1000) return Math.round(Number(value.toPrecision(3))).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

/** Aligns cells in columns: words to the left, figures to the right. */
function columns(cells: string[][]): string[] {
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((row) => (row[i] ?? "").length)));
  const pad = (cell: string, i: number) =>
    i < 1 || !/^[\d-]/.test(cell) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  return cells.map((row) => row.map(pad).join("  ").trimEnd());
}
