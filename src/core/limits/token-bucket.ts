/** Most keys remembered. A forgotten key starts with a full bucket, so it may send one more burst. */
const MAX_KEYS = 10_000;

export interface TokenBucket {
  /** Takes a token; returns 0, or the milliseconds to wait. */
  (key: string): number;
  /** Gives the last token back. */
  refund(key: string): void;
}

/**
 * A token bucket per key: `burst` tokens at once, refilled at `perSecond`. @param now a clock in milliseconds
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
  /** When each key's bucket is full again: one number holds all its state. */
  const fullAt = new Map<string, number>();

  function forget(time: number): void {
    for (const [key, full] of fullAt) if (full <= time) fullAt.delete(key);
    // Drops half at once, so that a flood from forged sources does not cost a full scan per datagram.
    for (const key of fullAt.keys()) {
      if (fullAt.size <= MAX_KEYS / 2) return;
      fullAt.delete(key);
    }
  }

  function take(key: string): number {
    const time = now();
    const next = Math.max(fullAt.get(key) ?? time, time) + interval;
    // Tolerates rounding errors in sums of fractions.
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
