import { readFileSync } from "node:fs";
import type { Row, Side } from "./row.ts";

export interface MeasureOptions {
  rounds: number;
  /** Length of one sample. */
  seconds: number;
  /** Called after each sample. */
  onSample?: (row: Row, round: number, side: Side, value: number) => void;
}

/** The median and the range of some samples. */
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
    /** CPU time per response or message, in µs, where known; less sensitive to what else runs. */
    cpuMicros: number | undefined;
  })[];
  /** Whether the halves of one side's samples still differ by over 15 % after three tries; then there is no verdict. */
  noisy: boolean;
  /** Talk relative to each rival, from the ratio of each round; `met` only if there is a target. */
  ratios: (Spread & { rival: string; target: number | undefined; met: boolean | undefined })[];
}

/** If two runs of the same program differ by more than this, they measure the machine. */
const NOISE = 0.15;

/** Most attempts at a noisy row. */
const MAX_TRIES = 3;

/** A program is warm once two consecutive samples differ by at most `WARM`, or after `MAX_WARM_UPS` samples. */
const WARM = 0.05;
const MAX_WARM_UPS = 15;

/** Shortest warm-up sample, in seconds: within a short one, progress of a JIT compiler is not visible. */
const WARM_UP_SECONDS = 4;

interface Figures {
  side: Side;
  samples: number[];
  cpu: number[];
}

/**
 * Measures a row: warms up each side, then samples all sides in turns, round by round. If the machine is too noisy, all
 * rounds are repeated, up to three attempts in all.
 * @throws NotMeasured
 */
export async function measure(row: Row, options: MeasureOptions): Promise<Measured> {
  const sides = await row.open();
  try {
    for (const side of sides) await warmUp(row, side, options);
    for (let attempt = 1; ; attempt++) {
      const figures = await sampleAll(row, sides, options);
      const noisy = figures.some(({ samples }) => isNoisy(samples));
      if (!noisy || attempt === MAX_TRIES) return summarize(row, figures, noisy);
    }
  } finally {
    await Promise.all(sides.map((side) => side.close()));
  }
}

/** Takes one sample, or as many as a JIT compiler needs to settle. */
async function warmUp(row: Row, side: Side, { seconds, onSample }: MeasureOptions): Promise<void> {
  let before = Number.NaN;
  for (let i = 0; i < (row.untilSteady ? MAX_WARM_UPS : 1); i++) {
    const value = await side.sample(row.untilSteady ? Math.max(seconds, WARM_UP_SECONDS) : seconds);
    onSample?.(row, 0, side, value);
    if (Math.abs(value / before - 1) <= WARM) return;
    before = value;
  }
}

async function sampleAll(
  row: Row,
  sides: Side[],
  { rounds, seconds, onSample }: MeasureOptions,
): Promise<Figures[]> {
  const figures: Figures[] = sides.map((side) => ({ side, samples: [], cpu: [] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { side, samples, cpu } of figures) {
      const [used, began] = [cpuSeconds(side.pid), performance.now()];
      const value = await side.sample(seconds);
      const share = (cpuSeconds(side.pid) - used) / ((performance.now() - began) / 1000);
      onSample?.(row, round, side, value);
      samples.push(value);
      if (side.pid !== undefined) cpu.push((share / value) * 1e6);
    }
  }
  return figures;
}

/** Whether the first and the second half of the rounds disagree. */
function isNoisy(samples: readonly number[]): boolean {
  const half = Math.ceil(samples.length / 2);
  const [first, second] = [spread(samples.slice(0, half)).median, spread(samples.slice(-half)).median];
  return Math.abs(first / second - 1) > NOISE;
}

function summarize(row: Row, figures: Figures[], noisy: boolean): Measured {
  const [talk = { samples: [] }, ...rivals] = figures;
  return {
    name: row.name,
    title: row.title,
    unit: row.unit,
    better: row.better,
    noisy,
    sides: figures.map(({ side, samples, cpu }) => ({
      name: side.name,
      samples,
      ...spread(samples),
      cpuMicros: cpu.length > 0 ? spread(cpu).median : undefined,
    })),
    ratios: rivals.map(({ side: { name: rival }, samples }) => {
      // Compared round by round, because samples close in time see the same machine load.
      const ratio = spread(talk.samples.map((value, i) => value / (samples[i] ?? Number.NaN)));
      const target = row.targets.find((target) => target.rival === rival)?.ratio;
      return { rival, ...ratio, target, met: noisy ? undefined : isMet(row.better, ratio.median, target) };
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

/** CPU time of a process so far, in seconds; 0 without /proc. */
function cpuSeconds(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    // proc(5): utime and stime, the 12th and 13th fields after the name, in ticks of 10 ms.
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
