import { type Clock, jittered } from "../../core/clock.ts";

/** The first wait after the registry did not answer, as a fraction of the interval; then doubled each time. */
const FIRST_RETRY = 1 / 32;

export interface PollOptions {
  /** Asks the registry; false if it did not answer. */
  ask: () => Promise<boolean>;
  /** Milliseconds between requests, ±20 %. */
  interval: number;
  clock: Clock;
  /** From [0, 1). */
  random: () => number;
}

/** Polls the registry, more often while it is away. Returns a function that stops. */
export function startPolling({ ask, interval, clock, random }: PollOptions): () => void {
  let retry = FIRST_RETRY;
  let stopped = false;
  let cancel = wait(interval);

  function wait(ms: number): () => void {
    return clock.after(jittered(ms, random), () => void poll());
  }

  async function poll(): Promise<void> {
    const answered = await ask();
    if (stopped) return;
    // Never longer than the interval, so that a registry that comes back soon knows everybody again.
    cancel = wait(answered ? interval : Math.min(interval, retry * interval));
    retry = answered ? FIRST_RETRY : retry * 2;
  }

  return () => {
    stopped = true;
    cancel();
  };
}
