import { readFileSync } from "node:fs";
import type { Row, Side } from "./row.ts";

export interface MeasureOptions {
  rounds: number;
  /** Of one sample. */
  seconds: number;
  /** Told after each sample. */
  onSample?: (row: Row, round: number, side: Side, value: number) => void;
}

/** Some figures by their middle and their ends. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** A row's figures; `samples[i]` of all sides were taken in the same round. */
export interface Measured {
  name: string;
  title: string;
  unit: string;
  better: "more" | "less";
  sides: (Spread & {
    name: string;
    samples: number[];
    /** What one answer or message cost of the processor, in µs, where that can be told: what else runs matters less to it. */
    cpuMicros: number | undefined;
  })[];
  /** Talk over each rival, from the rounds' own ratios; `met` only where there is a target. */
  ratios: (Spread & { rival: string; target: number | undefined; met: boolean | undefined })[];
}

/** Measures a row: one sample each to warm up, then all sides in turn, round by round. @throws NotMeasured */
export async function measure(row: Row, { rounds, seconds, onSample }: MeasureOptions): Promise<Measured> {
  const sides = await row.open();
  const figures = sides.map((side) => {
    const samples: number[] = [];
    const cpu: number[] = [];
    return { side, samples, cpu };
  });
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const { side, samples, cpu } of figures) {
        const [used, began] = [cpuSeconds(side.pid), performance.now()];
        const value = await side.sample(seconds);
        const share = (cpuSeconds(side.pid) - used) / ((performance.now() - began) / 1000);
        onSample?.(row, round, side, value);
        if (round === 0) continue;
        samples.push(value);
        if (side.pid !== undefined) cpu.push((share / value) * 1e6);
      }
    }
  } finally {
    await Promise.all(sides.map((side) => side.close()));
  }
  const [talk = { samples: [] }, ...rivals] = figures;
  return {
    name: row.name,
    title: row.title,
    unit: row.unit,
    better: row.better,
    sides: figures.map(({ side, samples, cpu }) => ({
      name: side.name,
      samples,
      ...spread(samples),
      cpuMicros: cpu.length > 0 ? spread(cpu).median : undefined,
    })),
    ratios: rivals.map(({ side: { name: rival }, samples }) => {
      // Round by round, because neighbours in time share the machine's mood.
      const ratio = spread(talk.samples.map((value, i) => value / (samples[i] ?? Number.NaN)));
      const target = row.targets.find((target) => target.rival === rival)?.ratio;
      return { rival, ...ratio, target, met: isMet(row.better, ratio.median, target) };
    }),
  };
}

export function spread(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (i: number) => sorted[Math.max(0, i)] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    low: at(0),
    high: at(sorted.length - 1),
  };
}

function isMet(better: Row["better"], ratio: number, target: number | undefined): boolean | undefined {
  if (target === undefined) return undefined;
  return better === "more" ? ratio >= target : ratio <= target;
}

/** What a process has used of the processor so far, in seconds; 0 where there is no /proc. */
function cpuSeconds(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    // proc(5): utime and stime, the 12th and 13th behind the name, in ticks of 10 ms.
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
