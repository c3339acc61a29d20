/** Runs many cases concurrently, each with its own seed, so that any one can be reproduced. */
import { createRandom } from "../../test/helpers/random.ts";
import { progress } from "../checks/shared/progress.ts";
import type { Random } from "./chance.ts";

/** How long anything may take to answer or to be closed, in milliseconds. */
export const HANG_MS = 15_000;

export interface RunOptions {
  name: string;
  seed: number;
  count: number;
  /** Concurrent attempts. */
  lanes: number;
  /** Runs one case. Resolves to how it ended, in a word; one that starts with `!` is a fault. */
  attempt: (random: Random) => Promise<string>;
  /** Called once, after the first fifth, when memory has reached its working size. */
  warm: () => Promise<void>;
}

export interface Result {
  name: string;
  /** The number of cases for each ending. */
  endings: Map<string, number>;
  /** For each kind of fault, the seed of its first case. */
  faults: Map<string, number>;
  seconds: number;
}

export async function run({ name, seed, count, lanes, attempt, warm }: RunOptions): Promise<Result> {
  const endings = new Map<string, number>();
  const faults = new Map<string, number>();
  const began = performance.now();
  let next = 0;
  let done = 0;

  async function lane(end: number) {
    while (next < end) {
      // Spread the seeds, so that neighbouring cases are not correlated.
      const caseSeed = Math.imul(seed * 1_000_003 + next++, 2_654_435_761);
      const ending = await attempt(createRandom(caseSeed));
      endings.set(ending, (endings.get(ending) ?? 0) + 1);
      if (ending.startsWith("!") && !faults.has(ending)) faults.set(ending, caseSeed);
      if (++done % 100 === 0 && done < count) progress(done, count, name);
    }
  }

  for (const end of [Math.floor(count / 5), count]) {
    await Promise.all(Array.from({ length: lanes }, () => lane(end)));
    if (end < count) await warm();
  }
  progress(count, count, name);
  return { name, endings, faults, seconds: (performance.now() - began) / 1000 };
}
