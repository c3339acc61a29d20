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
  /** Whether two halves of one side's samples still differ by more than 15 % after three tries: no verdict then. */
  noisy: boolean;
  /** Talk over each rival, from the rounds' own ratios; `met` only where there is a target. */
  ratios: (Spread & { rival: string; target: number | undefined; met: boolean | undefined })[];
}

/** Two runs of one thing that differ by more than this tell more of the machine than of the programs. */
const NOISE = 0.15;

/** How often a noisy row is measured before it is given up. */
const MAX_TRIES = 3;

/** A program is warm once two samples in a row agree this well, or after so many of them. */
const WARM = 0.05;
const MAX_WARM_UPS = 15;

/** How long such a sample takes at least, in seconds: in a short one a compiler at run time seems to stand still. */
const WARM_UP_SECONDS = 4;

interface Figures {
  side: Side;
  samples: number[];
  cpu: number[];
}

/**
 * Measures a row: each side is warmed up, then all sides are sampled in turn, round by round. If the machine was too
 * noisy, all rounds are taken again, three times at most.
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

/** One sample, or as many as it takes a compiler at run time to be done with its work. */
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
      // Round by round, because neighbours in time share the machine's mood.
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
