/** Checks users when they are due, and decides what a failure means. Knows no protocol. */
import { type Clock, jittered, sleep } from "../../core/clock.ts";
import { TalkError } from "../../core/errors.ts";
import type { Address, Protocol } from "../../core/schemas.ts";
import type { Log } from "../log.ts";
import type { Store } from "../stores/types.ts";
import { createDuty } from "./leader.ts";
import { createJuries, type Jury } from "./quorum.ts";
import { createRoster, type Entry } from "./schedule.ts";
import { createSemaphore } from "./semaphore.ts";
import { createRounds } from "./statistics.ts";
import type { Finding, Prober } from "./types.ts";

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
  /** Called with what each check of a user found. @default nobody counts */
  onCheck?: (protocol: Protocol, finding: Finding) => void;
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
  onCheck = () => {},
  interval,
  window,
  clock,
  today = Date.now,
  random,
}: CheckerOptions): Checker {
  const roster = createRoster({ store, interval, clock, random });
  const { entries } = roster;
  const slots = createSemaphore(MAX_PROBES);
  const leaseMs = Math.min(LEASE_MS.most, Math.max(LEASE_MS.least, interval / 10));
  const duty = createDuty({ checking: store.checking, leaseMs, clock, today });
  const rounds = createRounds({ interval, clock, report: (round) => log({ type: "round", ...round }) });
  const summonJury = createJuries({ candidates: () => entries.values(), hear, clock, random });
  /** How often one looks who is due, in milliseconds. */
  const tickMs = Math.min(1000, interval / 20);
  /** Which registry has checked the users so far, for all that this one knows. */
  let hasChecked: "none" | "another" | "this" = "none";
  let stopped = false;
  let cancelTick = () => {};

  async function tick(): Promise<void> {
    try {
      await roster.sync();
      const turn = await duty.take();
      if (turn.turn === "taken" && hasChecked !== "none") roster.takeOver(turn.seen);
      if (turn.turn === "taken" && hasChecked === "another") log({ type: "taken-over" });
      hasChecked = turn.turn === "others" ? "another" : "this";
    } catch (error) {
      // The store is away: as long as the duty is ours, those who are known are checked all the same.
      if (!(error instanceof TalkError)) throw error;
    }
    if (stopped) return;
    rounds.turn();
    const now = clock.now();
    for (const entry of duty.isOurs() ? entries.values() : []) {
      if (entry.checking || entry.due > now) continue;
      entry.checking = true;
      // A check begins when its first probe can leave: many that are due at once wait as little more than a name.
      slots.take(() => begin(entry));
    }
    cancelTick = clock.after(tickMs, () => void tick());
  }

  /** Begins a check with the slot that it was given, unless it has become idle. */
  function begin(entry: Entry): boolean {
    const isDue = !stopped && duty.isOurs() && roster.has(entry);
    if (isDue) void check(entry);
    else entry.checking = false;
    return isDue;
  }

  async function check(entry: Entry): Promise<void> {
    const leaveRound = rounds.enter();
    const trial: Trial = { jury: undefined, othersAnswered: false };
    const finding = await examine(entry, trial);
    onCheck(entry.address.protocol, finding);
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
   * A whole check: until an answer, a second refusal, or a window full of silence. It begins with a slot, which each
   * probe releases, and takes another for each further probe.
   * @param trial where to note whether others answered; a juror's check has none, and is urgent
   */
  async function examine(entry: Entry, trial?: Trial): Promise<Finding> {
    const prober = proberFor(entry.address);
    const { attempts } = prober;
    const check = prober.begin(entry.address, entry.known);
    const deadline = window / attempts;
    let refused = false;
    let silences = 0;
    try {
      while (true) {
        if (trial) trial.othersAnswered = trial.jury?.haveAnswered(entry) ?? false;
        const sentAt = clock.now();
        const finding = await check.probe(deadline);
        const foundAt = clock.now();
        slots.release();
        if (finding === "alive") {
          entry.seen = foundAt;
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
        else if (foundAt < sentAt + deadline) await sleep(clock, sentAt + deadline - foundAt);
        if (silences === attempts || !(await hasSlot(!trial))) return "silent";
      }
    } finally {
      check.end();
    }
  }

  /** Waits for a slot; false if there is no more use for it. */
  function hasSlot(urgent: boolean): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    slots.take(() => {
      resolve(!stopped);
      return !stopped;
    }, urgent);
    return promise;
  }

  /** Removes who failed a check, unless there is reason to suspect ourselves, or it has registered anew. */
  async function condemn(entry: Entry, finding: Finding, trial: Trial): Promise<void> {
    const { user, id } = entry;
    if (stopped || !duty.isOurs() || !roster.has(entry)) return;
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
    if ((await hasSlot(true)) && (await examine(member)) === "alive") member.heard = false;
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
