/** A clock that only moves when the test says so. */
import type { Clock } from "../../src/core/clock.ts";

export interface FakeClock extends Clock {
  /** Lets milliseconds pass, and runs everything due in them, in order. */
  pass(ms: number): Promise<void>;
  /** The milliseconds until something is to happen. */
  untilNext(): number;
}

interface Timer {
  at: number;
  run: () => void;
}

export function createFakeClock(): FakeClock {
  let time = 0;
  /** A binary heap, earliest first, because simulations hold tens of thousands. */
  const heap: Timer[] = [];
  const cancelled = new Set<Timer>();

  function push(timer: Timer) {
    let i = heap.push(timer) - 1;
    for (let parent = (i - 1) >> 1; i > 0 && at(i) < at(parent); i = parent, parent = (i - 1) >> 1)
      swap(i, parent);
  }

  function pop(): Timer | undefined {
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) if (at(child) < at(least)) least = child;
      if (least === i) return first;
      swap(i, least);
      i = least;
    }
  }

  function at(i: number): number {
    return heap[i]?.at ?? Number.POSITIVE_INFINITY;
  }

  function swap(i: number, j: number) {
    const [a, b] = [heap[i], heap[j]];
    if (a && b) [heap[i], heap[j]] = [b, a];
  }

  return {
    now: () => time,
    after(ms, run) {
      const timer = { at: time + ms, run };
      push(timer);
      return () => void cancelled.add(timer);
    },
    untilNext: () =>
      Math.min(...heap.filter((timer) => !cancelled.has(timer)).map((timer) => timer.at)) - time,
    async pass(ms) {
      const end = time + ms;
      await settle();
      while (at(0) <= end) {
        const timer = pop();
        if (!timer) break;
        if (cancelled.delete(timer)) continue;
        time = timer.at;
        timer.run();
        await settle();
      }
      time = end;
    },
  };
}

/** Lets every promise that is ready continue. */
async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await undefined;
}
