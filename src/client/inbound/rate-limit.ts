/** Rate limit per source, with notices to the user about sources that exceed it. */
import type { Clock } from "../../core/clock.ts";
import { createTokenBucket } from "../../core/limits/token-bucket.ts";

/** How long after the first refusal to notify, and how long to stay silent after that, in milliseconds. */
const TELL_AFTER_MS = 1000;
const SILENCE_MS = 10_000;

/** Fewest refusals worth a notice: a well-behaved sender meets one or two a second. */
const WORTH_TELLING = 20;

/** Most sources counted between two notices. */
const MAX_COUNTED = 1000;

export interface RateLimit {
  /** Admits a message and returns 0, or the milliseconds the source has to wait. */
  delay(source: string): number;
  /** Cancels pending notices. */
  close(): void;
}

export interface RateLimitOptions {
  /** Messages per second per source, with bursts of twice as many. */
  perSecond: number;
  clock: Clock;
  /** Called with the number of messages refused from a source since the last notice. */
  onExcess: (source: string, count: number) => void;
}

export function createRateLimit({ perSecond, clock, onExcess }: RateLimitOptions): RateLimit {
  const bucket = createTokenBucket({ perSecond, burst: 2 * perSecond, now: clock.now });
  const refused = new Map<string, number>();
  let silentUntil = 0;
  let cancel: (() => void) | undefined;

  function count(source: string): void {
    const before = refused.get(source);
    if (before === undefined && refused.size >= MAX_COUNTED) return;
    refused.set(source, (before ?? 0) + 1);
    cancel ??= clock.after(Math.max(TELL_AFTER_MS, silentUntil - clock.now()), tell);
  }

  function tell(): void {
    cancel = undefined;
    silentUntil = clock.now() + SILENCE_MS;
    for (const [source, count] of refused) if (count >= WORTH_TELLING) onExcess(source, count);
    refused.clear();
  }

  return {
    delay(source) {
      const wait = bucket(source);
      if (wait > 0) count(source);
      return wait;
    },
    close: () => cancel?.(),
  };
}
