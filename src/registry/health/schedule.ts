/** Who is to be checked, and when. */
import { type Clock, jittered } from "../../core/clock.ts";
import type { UserName } from "../../core/schemas.ts";
import type { Registered, Store } from "../stores/types.ts";
import type { Known } from "./types.ts";

/** What is known of a registered user. */
export interface Entry extends Registered {
  /** When its next check is, by the clock. */
  due: number;
  /** When it last showed that it is there, by registering or by an answer. */
  seen: number;
  checking: boolean;
  /** Failed once, while most others failed too. */
  doubted: boolean;
  /** Is being asked as a juror, or was and did not answer; then its own check has to find it first. */
  heard: boolean;
  /** Was there before the registry started, and has not shown itself since. */
  initial: boolean;
  /** What its checks have found out. */
  known: Known;
  /** The store's last version that it was found in. */
  version: string;
}

export interface RosterOptions {
  store: Pick<Store, "version" | "registrations">;
  /** Milliseconds between two checks of a user, ±20 %. */
  interval: number;
  clock: Clock;
  /** From [0, 1). */
  random: () => number;
}

export interface Roster {
  entries: Map<UserName, Entry>;
  /** Learns who has registered or left, on whichever registry. @throws StoreUnavailable */
  sync(): Promise<void>;
  /** Whether an entry is of a registration that was there at the last `sync`: cheaper than to look for it. */
  has(entry: Entry): boolean;
  /** Goes on with the periods of the registry that has checked so far; whom it never saw is checked at once. */
  takeOver(seen: ReadonlyMap<UserName, number>): void;
}

/** Knows nobody until the first `sync`. */
export function createRoster({ store, interval, clock, random }: RosterOptions): Roster {
  const entries = new Map<UserName, Entry>();
  /** The store's version that the entries are of. */
  let known: string | undefined;

  return {
    entries,
    async sync() {
      const version = await store.version();
      if (version === known) return;
      const now = clock.now();
      for (const registration of await store.registrations()) {
        const entry = entries.get(registration.user);
        if (entry?.id === registration.id) {
          entry.version = version;
          continue;
        }
        // Who registers is there; who was there before this start is looked at at once.
        const initial = known === undefined;
        const due = initial ? now : now + jittered(interval, random);
        entries.set(registration.user, {
          ...registration,
          due,
          seen: now,
          checking: false,
          doubted: false,
          heard: false,
          initial,
          known: {},
          version,
        });
      }
      for (const [user, entry] of entries) if (entry.version !== version) entries.delete(user);
      known = version;
    },
    has: (entry) => entry.version === known,
    takeOver(seen) {
      for (const entry of entries.values()) {
        const last = Math.max(
          seen.get(entry.user) ?? Number.NEGATIVE_INFINITY,
          entry.initial ? Number.NEGATIVE_INFINITY : entry.seen,
        );
        entry.initial = last === Number.NEGATIVE_INFINITY;
        entry.doubted = false;
        if (!entry.initial) entry.seen = last;
        entry.due = entry.initial ? clock.now() : last + jittered(interval, random);
      }
    },
  };
}
