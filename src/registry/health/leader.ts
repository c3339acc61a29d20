/** Which of the registries on one store checks the users, and what it leaves to the one that takes over. */
import type { Clock } from "../../core/clock.ts";
import { TalkError } from "../../core/errors.ts";
import type { UserName } from "../../core/schemas.ts";
import type { Checking } from "../stores/types.ts";

export interface DutyOptions {
  checking: Checking;
  /** How long the duty lasts unless it is renewed, in milliseconds: another takes it over within twice that. */
  leaseMs: number;
  clock: Clock;
  /** The time of day in milliseconds since 1970, which registries on several machines share. */
  today: () => number;
}

export type Turn =
  | { turn: "kept" | "others" }
  /** Ours since this moment; `seen` is when the one before us saw each user, by our clock. */
  | { turn: "taken"; seen: ReadonlyMap<UserName, number> };

export interface Duty {
  /** Takes the duty if nobody has it, or keeps it. @throws StoreUnavailable */
  take(): Promise<Turn>;
  /** Whether it is ours at this moment, so that a registry that was stopped for long does not go on as if nothing were. */
  isOurs(): boolean;
  /** Tells whoever comes next that a user showed up now. */
  saw(user: UserName): void;
  /** Leaves the duty to another, at once. */
  end(): Promise<void>;
}

export function createDuty({ checking, leaseMs, clock, today }: DutyOptions): Duty {
  const registry = crypto.randomUUID();
  let until = Number.NEGATIVE_INFINITY;
  let renewAt = Number.NEGATIVE_INFINITY;
  let unnoted = new Map<UserName, number>();
  let noting: Promise<void> | undefined;
  let ended = false;

  function isOurs(): boolean {
    return clock.now() < until;
  }

  async function take(): Promise<Turn> {
    const now = clock.now();
    const had = isOurs();
    if (now < renewAt) return { turn: had ? "kept" : "others" };
    const granted = await checking.lease(registry, leaseMs);
    const seen = granted && !had ? await checking.noted() : undefined;
    renewAt = now + leaseMs / 3;
    until = granted ? now + leaseMs : Number.NEGATIVE_INFINITY;
    if (!granted) return { turn: "others" };
    if (!seen) return { turn: "kept" };
    const offset = clock.now() - today();
    return { turn: "taken", seen: new Map(Array.from(seen, ([user, at]) => [user, at + offset])) };
  }

  /** Notes at once, and what comes meanwhile together. */
  async function noteAll(): Promise<void> {
    while (unnoted.size > 0) {
      const notes = unnoted;
      unnoted = new Map();
      try {
        await checking.note(notes);
      } catch (error) {
        // Whoever comes next checks these users early, which does no harm; that the store is away, others tell.
        if (!(error instanceof TalkError)) throw error;
      }
    }
    noting = undefined;
  }

  return {
    take,
    isOurs,
    saw(user) {
      if (ended) return;
      unnoted.set(user, today());
      noting ??= noteAll();
    },
    async end() {
      const had = isOurs();
      ended = true;
      until = Number.NEGATIVE_INFINITY;
      await noting;
      // If the store is away, the lease runs out by itself.
      if (had) await Promise.resolve(checking.lease(registry, 0)).catch(() => false);
    },
  };
}
