/** Checks users when they are due, and decides what a failure means. Independent of protocols. */
import { type Clock, jittered, sleep } from "../../core/clock.ts";
import { TalkError } from "../../core/errors.ts";
import { createSemaphore } from "../../core/limits/semaphore.ts";
import type { Address, Protocol } from "../../core/schemas.ts";
import type { Log } from "../log.ts";
import type { Store } from "../stores/types.ts";
import { createLease } from "./leader.ts";
import { createQuorum, type PeerSample } from "./quorum.ts";
import { createSchedule, type Target } from "./schedule.ts";
import { createStatistics } from "./statistics.ts";
import type { Finding, Prober } from "./types.ts";

/** Most concurrent probes. */
const MAX_PROBES = 200;

/** Two refusals this far apart remove a user, in milliseconds: a restarting client refuses only once. */
const REFUSAL_PAUSE_MS = 1000;

/** Bounds of the lease, a tenth of the interval, in milliseconds: another registry takes over within twice that. */
const LEASE_MS = { least: 1000, most: 10_000 };

/** With fewer users than this, the registry never assumes that its own network is at fault. */
const MIN_QUORUM = 5;

/** How long a failed sample casts doubt on every failure, in intervals: longer than any pause between two checks. */
const DOUBT_INTERVALS = 1.2;

export interface CheckerOptions {
  store: Store;
  /** The prober for an address. */
  proberFor: (address: Address) => Prober;
  log: Log;
  /** Called with the finding of each check. @default ignores it */
  onCheck?: (protocol: Protocol, finding: Finding) => void;
  /** Milliseconds between two checks of a user, ±20 %. */
  interval: number;
  /** Milliseconds a user has to answer one check. */
  window: number;
  clock: Clock;
  /** From [0, 1). */
  random: () => number;
}

export interface Checker {
  start(): void;
  /** Stops at once, and releases the lease to another registry on the store. */
  stop(): Promise<void>;
}

/**
 * A check's finding, and whether other users answered before its last probe was sent: an answer after that may only
 * mean that our network is back.
 */
interface CheckResult {
  finding: Finding;
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
  random,
}: CheckerOptions): Checker {
  const schedule = createSchedule({ store, interval, clock, random });
  const { targets } = schedule;
  const semaphore = createSemaphore(MAX_PROBES);
  const leaseMs = Math.min(LEASE_MS.most, Math.max(LEASE_MS.least, interval / 10));
  const lease = createLease({ store, leaseMs, clock });
  const statistics = createStatistics({
    interval,
    clock,
    report: (round) => log({ type: "round", ...round }),
  });
  const drawSample = createQuorum({ candidates: () => targets.values(), answers, clock, random });
  /** How often to look for due users, in milliseconds. */
  const tickMs = Math.min(1000, interval / 20);
  /** Who checked the users last, as far as we know. */
  let leader: "nobody" | "another" | "us" = "nobody";
  /** Until then, a failure may be our own fault, because most of a sample did not answer. */
  let doubtUntil = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let cancelTick = () => {};

  async function tick(): Promise<void> {
    try {
      await schedule.sync();
      const held = await lease.renew();
      if (held === "taken" && leader !== "nobody") schedule.restart();
      if (held === "taken" && leader === "another") log({ type: "taken-over" });
      leader = held === "others" ? "another" : "us";
    } catch (error) {
      // While the store is unavailable and the lease is ours, we keep checking the users we know.
      if (!(error instanceof TalkError)) throw error;
    }
    if (stopped) return;
    statistics.advance();
    const now = clock.now();
    for (const target of lease.isOurs() ? targets.values() : []) {
      if (target.checking || target.due > now) continue;
      target.checking = true;
      // A check starts only once it has a slot, so that many due at once cost little memory while they wait.
      semaphore.acquire(() => begin(target));
    }
    cancelTick = clock.after(tickMs, () => void tick());
  }

  /** Starts a check in the slot it was given; false if the check is no longer needed. */
  function begin(target: Target): boolean {
    const isDue = !stopped && lease.isOurs() && schedule.has(target);
    if (isDue) void check(target);
    else target.checking = false;
    return isDue;
  }

  async function check(target: Target): Promise<void> {
    const countEnd = statistics.countStart();
    const result = await probeUntilCertain(target);
    onCheck(target.address.protocol, result.finding);
    target.unanswered = false;
    if (result.finding === "alive") {
      target.suspect = false;
      target.due = target.seen + (target.initial ? 1.2 * interval * random() : jittered(interval, random));
      target.initial = false;
    } else {
      await judge(target, result);
    }
    target.checking = false;
    countEnd(result.finding !== "alive");
  }

  /**
   * Probes until an answer, a second refusal, or silence for the whole window. The caller holds a slot for the first probe;
   * each probe releases its slot, and each further one acquires its own.
   */
  async function probeUntilCertain(target: Target): Promise<CheckResult> {
    const prober = proberFor(target.address);
    const { attempts } = prober;
    const probing = prober.begin(target.address, target);
    const deadline = window / attempts;
    let sample: PeerSample<Target> | undefined;
    let refused = false;
    let silences = 0;
    try {
      while (true) {
        const othersAnswered = sample?.answeredBeside(target) ?? false;
        const sentAt = clock.now();
        const finding = await probing.probe(deadline);
        const foundAt = clock.now();
        semaphore.release();
        if (finding === "alive") target.seen = foundAt;
        const certain = finding === "alive" || finding === "denied" || (finding === "refused" && refused);
        if (certain) return { finding, othersAnswered };
        refused ||= finding === "refused";
        if (finding === "silent") silences++;
        // Do not draw a sample over a few lost datagrams.
        if (refused || silences >= Math.floor(attempts / 2)) {
          target.unanswered = true;
          sample ??= drawSample();
        }
        if (finding === "refused") await sleep(clock, REFUSAL_PAUSE_MS);
        // A local error returns at once: give the peer the rest of its time to answer.
        else if (foundAt < sentAt + deadline) await sleep(clock, sentAt + deadline - foundAt);
        if (silences === attempts || !(await hasSlot())) return { finding: "silent", othersAnswered };
      }
    } finally {
      probing.end();
    }
  }

  /** Waits for a slot; false if the checker has stopped. */
  function hasSlot(urgent = false): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    semaphore.acquire(() => {
      resolve(!stopped);
      return !stopped;
    }, urgent);
    return promise;
  }

  /** Removes a user who failed a check, unless our own network may be at fault or the user has registered again. */
  async function judge(target: Target, { finding, othersAnswered }: CheckResult): Promise<void> {
    const { user, id } = target;
    if (stopped || !lease.isOurs() || !schedule.has(target)) return;
    const now = clock.now();
    const canDoubt = targets.size >= MIN_QUORUM && finding !== "denied";
    if (canDoubt && !othersAnswered) doubtUntil = now + DOUBT_INTERVALS * interval;
    if (canDoubt && now < doubtUntil && !target.suspect) {
      target.suspect = true;
      target.due = now + interval * (1 + 0.2 * random());
      log({ type: "suspect", user, finding });
      return;
    }
    try {
      if (await store.expire(user, id)) {
        log({ type: "removed", user, finding, silentMs: clock.now() - target.seen });
        if (targets.get(user) === target) targets.delete(user);
      }
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
    }
    target.due = clock.now() + jittered(interval, random);
  }

  /**
   * Probes a member of a sample once. False at once for a member known to be silent: otherwise dead users would occupy
   * all slots.
   */
  async function answers(member: Target): Promise<boolean> {
    if (member.suspect || member.unanswered) return false;
    member.unanswered = true;
    if (!(await hasSlot(true))) return false;
    const prober = proberFor(member.address);
    const probing = prober.begin(member.address, member);
    const answered = (await probing.probe(window / prober.attempts)) === "alive";
    probing.end();
    semaphore.release();
    member.unanswered = !answered;
    return answered;
  }

  return {
    start: () => void tick(),
    stop() {
      stopped = true;
      cancelTick();
      return lease.end();
    },
  };
}
