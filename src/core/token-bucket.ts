/** Most keys remembered; who is forgotten among so many may send one more burst. */
const MAX_KEYS = 10_000;

export interface TokenBucket {
  /** Takes a token of a key; returns 0, or the milliseconds to wait. */
  (key: string): number;
  /** Gives the last token of a key back. */
  refund(key: string): void;
}

/**
 * A token bucket for each key: so many at once, and then so many a second. @param now a clock in milliseconds
 */
export function createTokenBucket({
  perSecond,
  burst,
  now = performance.now.bind(performance),
}: {
  perSecond: number;
  burst: number;
  now?: () => number;
}): TokenBucket {
  const interval = 1000 / perSecond;
  const depth = burst * interval;
  /** When the bucket of a key is full again: one number is all there is to know of it. */
  const fullAt = new Map<string, number>();

  function forget(time: number): void {
    for (const [key, full] of fullAt) if (full <= time) fullAt.delete(key);
    // Half at once, so that a flood of forged sources does not make each of its datagrams a walk over all.
    for (const key of fullAt.keys()) {
      if (fullAt.size <= MAX_KEYS / 2) return;
      fullAt.delete(key);
    }
  }

  function take(key: string): number {
    const time = now();
    const next = Math.max(fullAt.get(key) ?? time, time) + interval;
    // A hair of tolerance, because sums of fractions do not come out even.
    if (next - time > depth + 1e-6) return next - time - depth;
    fullAt.set(key, next);
    if (fullAt.size > MAX_KEYS) forget(time);
    return 0;
  }

  function refund(key: string): void {
    const full = fullAt.get(key);
    if (full !== undefined) fullAt.set(key, full - interval);
  }

  return Object.assign(take, { refund });
}
