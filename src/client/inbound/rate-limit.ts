/** How fast one source may send to us, and what the user is told of who sends faster. */
import type { Clock } from "../../core/clock.ts";
import { createTokenBucket } from "../../core/token-bucket.ts";

/** How long after the first refusal it is told of, and how long it is silent after that, in milliseconds. */
const TELL_AFTER_MS = 1000;
const SILENCE_MS = 10_000;

/** Refusals worth a word: a sender that waits when it is told to meets one or two a second. */
const WORTH_TELLING = 20;

/** Most sources that are counted between two notices. */
const MAX_COUNTED = 1000;

export interface RateLimit {
  /** Lets a message of a source in and gives 0, or the milliseconds after which the next may come. */
  delay(source: string): number;
  /** No notice comes after this. */
  close(): void;
}

export interface RateLimitOptions {
  /** Messages a second of one source; twice as many at once. */
  perSecond: number;
  clock: Clock;
  /** Told how many messages of a source were refused since the last time. */
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
