/** The check schedule: when each user is due. */
import { type Clock, jittered } from "../../core/clock.ts";
import type { UserName } from "../../core/schemas.ts";
import type { Store, StoredUser } from "../stores/types.ts";
import type { ProbeHistory } from "./types.ts";

/** After a takeover, first checks are spread over this fraction of the interval: 5 s of 150. */
const TAKEOVER_SPREAD = 1 / 30;

/** A registered user, with the state of its checks. */
export interface Target extends StoredUser, ProbeHistory {
  /** When it is checked next, by the clock. */
  due: number;
  /** When it last registered or answered, by the clock. */
  seen: number;
  checking: boolean;
  /** Failed a check while our own network may have been at fault. */
  suspect: boolean;
  /** Has not answered a probe since its last check, or is being probed in a sample. */
  unanswered: boolean;
  /** Was registered before we began to check, and has not answered since. */
  initial: boolean;
  /** The latest version of the store that lists it. */
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
  /** Picks up who has registered or left, on any registry. @throws StoreUnavailable */
  sync(): Promise<void>;
  /** Whether a target was registered at the last `sync`. Cheaper than a lookup. */
  has(target: Target): boolean;
  /** Starts over after another registry did the checking, with first checks spread over a few seconds. */
  restart(): void;
}

/** Empty until the first `sync`. */
export function createSchedule({ store, interval, clock, random }: ScheduleOptions): Schedule {
  const targets = new Map<UserName, Target>();
  /** The store's version at the last `sync`. */
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
        // A user who has just registered is alive; one registered before we started is checked at once.
        const initial = current === undefined;
        targets.set(user.user, {
          ...user,
          due: initial ? now : now + jittered(interval, random),
          seen: now,
          checking: false,
          suspect: false,
          unanswered: false,
          initial,
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
