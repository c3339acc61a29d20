/** Whom to check when, and what a failure means. Knows no protocol. */
import { type Clock, jittered, sleep } from "../core/clock.ts";
import { TalkError } from "../core/errors.ts";
import type { Address, UserName } from "../core/schemas.ts";
import { createDuty } from "./duty.ts";
import { createJuries, type Jury } from "./jury.ts";
import type { Log } from "./log.ts";
import { createRounds } from "./rounds.ts";
import { createSemaphore } from "./semaphore.ts";
import type { Registered, Store } from "./store.ts";

/**
 * What one probe found. *Silent* is everything that is neither an answer nor a refusal, our own errors too;
 * *denied* is an address that may not be probed.
 */
export type Finding = "alive" | "refused" | "silent" | "denied";

/** One check of one address, of as many probes as it takes. */
export interface Check {
  /** Probes once. Never rejects. */
  probe(deadlineMs: number): Promise<Finding>;
  /** Forgets the probes; an answer that comes later is nobody's. */
  end(): void;
}

/** How to check addresses of a protocol. */
export interface Prober {
  /** How many silent probes share a check's window. */
  attempts: number;
  begin(address: Address): Check;
}

/** Most probes under way at once. */
const MAX_PROBES = 200;

/** Two refusals count when they are this far apart, in milliseconds: a client that restarts refuses once. */
const REFUSAL_PAUSE_MS = 1000;

/** A tenth of the interval is short enough to keep the periods when one registry follows another; in milliseconds. */
const LEASE_MS = { least: 1000, most: 10_000 };

/** From this many users on, the registry may suspect itself. */
const MIN_JURY = 5;

export interface CheckerOptions {
  store: Store;
  /** The prober for an address. */
  proberFor: (address: Address) => Prober;
  log: Log;
  /** Milliseconds between two checks of a user, ±20 %. */
  interval: number;
  /** Milliseconds that a user may be silent in one check. */
  window: number;
  clock: Clock;
  /** The time of day in milliseconds since 1970. @default the system's */
  today?: () => number;
  /** From [0, 1). */
  random: () => number;
}

export interface Checker {
  start(): void;
  /** Ends at once, and leaves checking to another registry on the store. */
  stop(): Promise<void>;
}

interface Entry extends Registered {
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
}

/** What a check has to tell of the others, should it fail. */
interface Trial {
  jury: Jury<Entry> | undefined;
  /** As it was just before the last probe left: an answer after that could mean that the network is back. */
  othersAnswered: boolean;
}

export function createChecker({
  store,
  proberFor,
  log,
  interval,
  window,
  clock,
  today = Date.now,
  random,
}: CheckerOptions): Checker {
  const entries = new Map<UserName, Entry>();
  const inSlot = createSemaphore(MAX_PROBES);
  const leaseMs = Math.min(LEASE_MS.most, Math.max(LEASE_MS.least, interval / 10));
  const duty = createDuty({ checking: store.checking, leaseMs, clock, today });
  const rounds = createRounds({ interval, clock, report: (round) => log({ type: "round", ...round }) });
  const summonJury = createJuries({ candidates: () => entries.values(), hear, clock, random });
  /** How often one looks who is due, in milliseconds. */
  const tickMs = Math.min(1000, interval / 20);
  let known: string | undefined;
  /** Which registry has checked the users so far, for all that this one knows. */
  let hasChecked: "none" | "another" | "this" = "none";
  let stopped = false;
  let cancelTick = () => {};

  async function tick(): Promise<void> {
    try {
      await sync();
      const turn = await duty.take();
      if (turn.turn === "taken" && hasChecked !== "none") takeOver(turn.seen);
      if (turn.turn === "taken" && hasChecked === "another") log({ type: "taken-over" });
      hasChecked = turn.turn === "others" ? "another" : "this";
    } catch (error) {
      // The store is away: as long as the duty is ours, those who are known are checked all the same.
      if (!(error instanceof TalkError)) throw error;
      log({ type: "trouble", sentence: error.message });
    }
    if (stopped) return;
    rounds.turn();
    for (const entry of duty.isOurs() ? entries.values() : []) {
      if (!entry.checking && entry.due <= clock.now()) void check(entry);
    }
    cancelTick = clock.after(tickMs, () => void tick());
  }

  /** Learns who has registered or left, on whichever registry. */
  async function sync(): Promise<void> {
    const version = await store.version();
    if (version === known) return;
    const now = clock.now();
    const gone = new Set(entries.keys());
    for (const registration of await store.registrations()) {
      gone.delete(registration.user);
      if (entries.get(registration.user)?.id === registration.id) continue;
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
      });
    }
    for (const user of gone) entries.delete(user);
    known = version;
  }

  /** Goes on with the periods of the registry that has checked so far; whom it never saw is checked at once. */
  function takeOver(seen: ReadonlyMap<UserName, number>): void {
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
  }

  async function check(entry: Entry): Promise<void> {
    const leaveRound = rounds.enter();
    entry.checking = true;
    const trial: Trial = { jury: undefined, othersAnswered: false };
    const finding = await examine(entry, trial);
    entry.heard = false;
    if (finding === "alive") {
      entry.doubted = false;
      entry.due = entry.seen + (entry.initial ? 1.2 * interval * random() : jittered(interval, random));
      entry.initial = false;
    } else {
      await condemn(entry, finding, trial);
    }
    entry.checking = false;
    leaveRound(finding !== "alive");
  }

  /**
   * A whole check: until an answer, a second refusal, or a window full of silence.
   * @param trial where to note whether others answered; a juror's check has none, and does not wait in line
   */
  async function examine(entry: Entry, trial?: Trial): Promise<Finding> {
    const { attempts, begin } = proberFor(entry.address);
    const check = begin(entry.address);
    const deadline = window / attempts;
    let refused = false;
    try {
      for (let silences = 0; silences < attempts && !stopped; ) {
        if (trial) trial.othersAnswered = trial.jury?.haveAnswered(entry) ?? false;
        const { finding, tookMs } = await inSlot(() => timed(() => check.probe(deadline)), !trial);
        if (finding === "alive") {
          entry.seen = clock.now();
          duty.saw(entry.user);
          return finding;
        }
        if (finding === "denied" || (finding === "refused" && refused)) return finding;
        refused ||= finding === "refused";
        if (finding === "silent") silences++;
        // A few lost datagrams are no reason to trouble anybody else.
        if (trial && (refused || silences >= Math.floor(attempts / 2))) trial.jury ??= summonJury();
        if (finding === "refused") await sleep(clock, REFUSAL_PAUSE_MS);
        // An error of our own comes at once, and has not used up the time that a peer has to answer.
        else if (tookMs < deadline) await sleep(clock, deadline - tookMs);
      }
      return "silent";
    } finally {
      check.end();
    }
  }

  async function timed(probe: () => Promise<Finding>): Promise<{ finding: Finding; tookMs: number }> {
    const began = clock.now();
    const finding = await probe();
    return { finding, tookMs: clock.now() - began };
  }

  /** Removes who failed a check, unless there is reason to suspect ourselves, or it has registered anew. */
  async function condemn(entry: Entry, finding: Finding, trial: Trial): Promise<void> {
    const { user, id } = entry;
    if (stopped || !duty.isOurs() || entries.get(user) !== entry) return;
    const oursPerhaps = entries.size >= MIN_JURY && !trial.othersAnswered && finding !== "denied";
    if (oursPerhaps && !entry.doubted) {
      entry.doubted = true;
      entry.due = clock.now() + interval * (1 + 0.2 * random());
      log({ type: "doubted", user, finding });
      return;
    }
    try {
      if (await store.expire(user, id)) {
        log({ type: "removed", user, finding, silentMs: clock.now() - entry.seen });
        if (entries.get(user) === entry) entries.delete(user);
      }
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      log({ type: "trouble", sentence: error.message });
    }
    entry.due = clock.now() + jittered(interval, random);
  }

  /**
   * Probes a juror, unless that is under way or was in vain since its last check: many who are silent would
   * otherwise be asked again and again by each other's juries, and take all the slots.
   */
  async function hear(member: Entry): Promise<void> {
    if (member.checking || member.doubted || member.heard) return;
    member.heard = true;
    if ((await examine(member)) === "alive") member.heard = false;
  }

  return {
    start: () => void tick(),
    stop() {
      stopped = true;
      cancelTick();
      return duty.end();
    },
  };
}
