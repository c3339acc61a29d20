/** The check schedule: who is due, and when. */
import { type Clock, jittered } from "../../core/clock.ts";
import type { UserName } from "../../core/schemas.ts";
import type { Store, StoredUser } from "../stores/types.ts";
import type { ProbeHistory } from "./types.ts";

/** After a takeover the first checks are spread over this part of the interval: 5 s of 150. */
const TAKEOVER_SPREAD = 1 / 30;

/** A registered user, as its checks see it. */
export interface Target extends StoredUser {
  /** When its next check is, by the clock. */
  due: number;
  /** When it last registered or answered, by the clock. */
  seen: number;
  checking: boolean;
  /** Failed a check when our own network may have been at fault. */
  suspect: boolean;
  /** Has left a probe unanswered since its last check, or is being probed in a sample. */
  unanswered: boolean;
  /** Was there before we began to check, and has not answered since. */
  initial: boolean;
  history: ProbeHistory;
  /** The store's last version that it was found in. */
  version: string;
}

export interface ScheduleOptions {
  store: Pick<Store, "version" | "registrations">;
  /** Milliseconds between two checks of a user, ±20 %. */
  interval: number;
  clock: Clock;
  /** From [0, 1). */
  random: () => number;
}

export interface Schedule {
  targets: Map<UserName, Target>;
  /** Learns who has registered or left, on whichever registry. @throws StoreUnavailable */
  sync(): Promise<void>;
  /** Whether a target was registered at the last `sync`: cheaper than a lookup. */
  has(target: Target): boolean;
  /** Begins anew, as after a start, when another registry has checked so far; spread over some seconds. */
  restart(): void;
}

/** Knows nobody until the first `sync`. */
export function createSchedule({ store, interval, clock, random }: ScheduleOptions): Schedule {
  const targets = new Map<UserName, Target>();
  /** The store's version that the targets are of. */
  let current: string | undefined;

  return {
    targets,
    async sync() {
      const version = await store.version();
      if (version === current) return;
      const now = clock.now();
      for (const user of await store.registrations()) {
        const target = targets.get(user.user);
        if (target?.id === user.id) {
          target.version = version;
          continue;
        }
        // Who registers is there; who was there before this start is checked at once.
        const initial = current === undefined;
        targets.set(user.user, {
          ...user,
          due: initial ? now : now + jittered(interval, random),
          seen: now,
          checking: false,
          suspect: false,
          unanswered: false,
          initial,
          history: {},
          version,
        });
      }
      for (const [name, target] of targets) if (target.version !== version) targets.delete(name);
      current = version;
    },
    has: (target) => target.version === current,
    restart() {
      for (const target of targets.values()) {
        target.initial = true;
        target.suspect = false;
        target.due = clock.now() + interval * TAKEOVER_SPREAD * random();
      }
    },
  };
}
