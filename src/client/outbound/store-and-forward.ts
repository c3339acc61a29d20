/** Store and forward: keeps texts to absent users; once they are back, sends them in order, before anything newer. */
import { canonicalHost, sameAddress } from "../../core/address.ts";
import { type Clock, jittered } from "../../core/clock.ts";
import { encodeMessage } from "../../core/message.ts";
import type { UserName } from "../../core/schemas.ts";
import type { ListedAddress, Users } from "../registry/types.ts";
import {
  MAX_WAITING_PER_USER,
  type WaitingFor,
  type WaitingText,
  type WaitingTexts,
} from "../storage/waiting-texts.ts";
import type { Outcome } from "../transports/types.ts";
import type { Outbox } from "./outbox.ts";

/** Backoff before probing a listed user who did not answer again, in milliseconds. */
const FIRST_LOOK_MS = 1000;
const LOOK_GROWTH = 1.5;
const MAX_LOOK_MS = 60_000;

/** After so many attempts cut short by a crash, a text may well have arrived, so it is given up. */
const MAX_INTERRUPTED = 2;

/** Most departed users remembered. */
const MAX_GONE = 10_000;

export interface StoreAndForward {
  /**
   * Sends a text, or keeps it if the user is away. Never rejects.
   * @param onSettled called with the final outcome of a text that waited, while this client runs
   */
  send(text: OutgoingText, onSettled?: (outcome: Outcome) => void): Promise<Outcome>;
  /** Takes in the known list, and sends what waits for users who are back. */
  listed(users: Users): void;
  /** Notes that a user is there, because a message came from it. */
  heard(user: UserName): void;
  /** Sends what waits for a user, wherever it is now; returns how many texts, and whether it is listed. */
  again(user: UserName): { count: number; listed: boolean };
  /** Forgets what waits for a user, or for all; returns how many texts. */
  drop(user: UserName | undefined): number;
  summary(): WaitingFor[];
  /** Stops forwarding. */
  close(): void;
}

/** A text, encoded too, and its user's address, if listed. */
export interface OutgoingText {
  to: UserName;
  address: ListedAddress | undefined;
  text: string;
  body: string;
}

export interface StoreAndForwardOptions {
  me: UserName;
  texts: WaitingTexts;
  /** Sends an encoded message; messages to one user keep their order. */
  transmit: Outbox["send"];
  /** Asks the registry for the list, which goes to `listed`. Never rejects. */
  refresh: () => Promise<void>;
  /** Whether a client answers at an address. */
  isPresent: (address: ListedAddress) => Promise<boolean>;
  clock: Clock;
  /** From [0, 1). */
  random: () => number;
  onEvent: (event: WaitingEvent) => void;
}

/** What happens to waiting texts. */
export type WaitingEvent =
  /** One was sent or given up. */
  | { type: "settled"; to: UserName; text: string; outcome: Outcome }
  /** Outcomes of texts sent together, once their user was back. */
  | { type: "forwarded"; user: UserName; outcomes: Outcome[] }
  /** They wait on, because the user is at another host, or somebody else has had the name. */
  | { type: "elsewhere"; user: UserName; address: ListedAddress; count: number };

/** Forwarding to one user. */
interface Attempt {
  running: boolean;
  /** Requested again while running. */
  again: boolean;
  waitMs: number;
  /** When it last ran, by the clock. */
  at: number;
  cancel: () => void;
}

export function createStoreAndForward({
  me,
  texts,
  transmit,
  refresh,
  isPresent,
  clock,
  random,
  onEvent,
}: StoreAndForwardOptions): StoreAndForward {
  let users: Users = new Map();
  /** Last addresses of users who have left. */
  const gone = new Map<UserName, ListedAddress>();
  /** Whether nothing waits, as far as we know: another client of the same name may have added texts since. */
  let empty = false;
  const attempts = new Map<UserName, Attempt>();
  const settling = new Map<number, { user: UserName; settle: (outcome: Outcome) => void }>();
  /** Hosts of users about whom an `elsewhere` event was sent. */
  const offered = new Map<UserName, string>();
  /** Texts in flight; their outcomes are reported once known, even after `close`. */
  const underWay = new Set<number>();
  let closed = false;

  async function send(outgoing: OutgoingText, onSettled?: (outcome: Outcome) => void): Promise<Outcome> {
    const { to, address, body } = outgoing;
    const queued = empty ? undefined : keepBehind(outgoing, onSettled);
    if (queued) return queued;
    const outcome = await transmit(to, address, body);
    return outcome.type === "failed" && outcome.absent ? keepForLater(outgoing, outcome, onSettled) : outcome;
  }

  /** Keeps a text if older ones wait for its user. */
  function keepBehind(
    { to, address, text }: OutgoingText,
    onSettled?: (outcome: Outcome) => void,
  ): Outcome | undefined {
    const known = address ?? users.get(to) ?? gone.get(to);
    const host = known ? hostOf(known) : texts.hostFor(to);
    if (host === undefined || !isQueued(to, host)) return undefined;
    if (users.has(to)) look(to, 0);
    else void refresh();
    return keep(to, host, text, "queued behind earlier texts", onSettled);
  }

  /** Keeps a text to an absent user whose address is known; otherwise there may be no such user. */
  function keepForLater(
    { to, text }: OutgoingText,
    outcome: Extract<Outcome, { type: "failed" }>,
    onSettled?: (outcome: Outcome) => void,
  ): Outcome {
    // Read now, because a newer list may have come.
    const last = users.get(to) ?? gone.get(to);
    // After `close`, `onSettled` would never be called.
    if (!last || (closed && onSettled)) return outcome;
    const kept = keep(to, hostOf(last), text, outcome.reason, onSettled);
    if (kept.type === "waiting" && users.has(to)) look(to);
    return kept;
  }

  function isQueued(user: UserName, host: string): boolean {
    return !empty && texts.first(user, host, 1).length > 0;
  }

  function keep(
    to: UserName,
    host: string,
    text: string,
    reason: string,
    onSettled?: (outcome: Outcome) => void,
  ): Outcome {
    const added = texts.add(to, host, text);
    if (added === "full")
      return { type: "failed", reason: `${reason}, and ${MAX_WAITING_PER_USER} texts already wait for it` };
    if (added === "busy") return { type: "failed", reason: `${reason}, and it cannot be kept now` };
    empty = false;
    if (onSettled) settling.set(added.id, { user: to, settle: onSettled });
    return { type: "waiting", reason };
  }

  /** Looks for a user in so many milliseconds; by default with exponential backoff, and at once for 0. */
  function look(user: UserName, ms?: number): void {
    const attempt = attemptOf(user);
    if (closed) return;
    if (attempt.running) {
      attempt.again ||= ms !== undefined;
      return;
    }
    attempt.cancel();
    const wait = ms ?? jittered(attempt.waitMs, random);
    if (ms === undefined) attempt.waitMs = Math.min(MAX_LOOK_MS, attempt.waitMs * LOOK_GROWTH);
    attempt.cancel = clock.after(wait, () => void forward(user, false));
  }

  function attemptOf(user: UserName): Attempt {
    const attempt = attempts.get(user) ?? {
      running: false,
      again: false,
      waitMs: FIRST_LOOK_MS,
      at: Number.NEGATIVE_INFINITY,
      cancel: () => {},
    };
    attempts.set(user, attempt);
    return attempt;
  }

  /** @param sure whether the user is known to be there, which skips the probe */
  async function forward(user: UserName, sure: boolean): Promise<void> {
    const attempt = attemptOf(user);
    attempt.cancel();
    if (attempt.running) {
      attempt.again = true;
      return;
    }
    attempt.running = true;
    attempt.again = false;
    attempt.at = clock.now();
    const result = await tryToForward(user, sure);
    attempt.running = false;
    if (closed) return;
    if (attempt.again) return void forward(user, false);
    if (result === "done") attempts.delete(user);
    // A user who is not listed will show up in a later list.
    else if (users.has(user)) look(user);
  }

  async function tryToForward(user: UserName, sure: boolean): Promise<"done" | "later"> {
    const address = users.get(user);
    if (!address) return "later";
    const host = hostOf(address);
    if (!isQueued(user, host)) return "done";
    if (!sure && !(await isPresent(address))) return "later";
    const unlock = texts.lock();
    if (!unlock) return "later";
    const outcomes: Outcome[] = [];
    try {
      for (;;) {
        // One by one, so that a crash leaves at most one text with an unknown outcome.
        const [waiting] = texts.first(user, host, 1);
        if (!waiting) return "done";
        const outcome = closed ? undefined : await forwardOne(waiting, address);
        if (!outcome) return "later";
        outcomes.push(outcome);
        tell([waiting], outcome);
        if (outcome.type === "unanswered") return "later";
      }
    } finally {
      unlock();
      if (outcomes.length > 0) onEvent({ type: "forwarded", user, outcomes });
    }
  }

  /** Sends a text; undefined if it still waits, because the user is away. */
  async function forwardOne(
    { id, user, text, attempts }: WaitingText,
    address: ListedAddress,
  ): Promise<Outcome | undefined> {
    let outcome: Outcome = { type: "broken" };
    if (attempts < MAX_INTERRUPTED) {
      if (!texts.begin(id)) return undefined;
      underWay.add(id);
      outcome = await transmit(user, address, encodeMessage({ user: me, text }), { sameHost: true });
      underWay.delete(id);
    }
    if (outcome.type === "failed" && outcome.absent) {
      if (closed) settling.get(id)?.settle({ type: "failed", reason: "you have left" });
      texts.end(id);
      return undefined;
    }
    return outcome;
  }

  /** Tells what became of texts, and removes them. */
  function tell(settled: readonly WaitingText[], outcome: Outcome): void {
    if (settled.length === 0) return;
    try {
      for (const { id, user, text } of settled) {
        settling.get(id)?.settle(outcome);
        settling.delete(id);
        onEvent({ type: "settled", to: user, text, outcome });
      }
    } finally {
      texts.remove(settled.map(({ id }) => id));
    }
  }

  return {
    send,
    listed(next) {
      const before = users;
      users = next;
      for (const [user, address] of before) if (!next.has(user)) gone.set(user, address);
      for (const user of gone.keys()) {
        if (!next.has(user) && gone.size <= MAX_GONE) continue;
        gone.delete(user);
      }
      const expired = texts.expired().filter(({ id }) => !underWay.has(id));
      tell(expired, { type: "failed", reason: "it was away for 7 days" });
      const summary = texts.summary();
      empty = summary.length === 0;
      const strangers = new Map<UserName, { address: ListedAddress; count: number }>();
      for (const { user, host, taken, count } of summary) {
        const address = next.get(user);
        if (!address) continue;
        const here = hostOf(address);
        if (here === host && !taken) {
          const known = before.get(user);
          // A user who is newly listed has just registered, so is there; in the first list, anybody may be stale.
          if (before.size > 0 && !(known && sameAddress(known, address))) void forward(user, true);
          else if (!attempts.has(user)) look(user, 0);
          continue;
        }
        if (here !== host) texts.seenAt(user, here);
        strangers.set(user, { address, count: count + (strangers.get(user)?.count ?? 0) });
      }
      for (const [user, { address, count }] of strangers) {
        if (offered.get(user) === hostOf(address)) continue;
        offered.set(user, hostOf(address));
        onEvent({ type: "elsewhere", user, address, count });
      }
    },
    heard(user) {
      const address = users.get(user);
      if (empty || !address || !isQueued(user, hostOf(address))) return;
      // A peer may send a thousand messages a second and accept none.
      if (clock.now() - attemptOf(user).at >= FIRST_LOOK_MS) void forward(user, true);
    },
    again(user) {
      const count = texts
        .summary()
        .filter((waiting) => waiting.user === user)
        .reduce((sum, waiting) => sum + waiting.count, 0);
      const address = users.get(user);
      if (count > 0 && address) {
        texts.redirect(user, hostOf(address));
        empty = false;
        void forward(user, true);
      }
      return { count, listed: address !== undefined };
    },
    drop(user) {
      const count = texts.drop(user);
      for (const [id, waiting] of settling) {
        if (user !== undefined && waiting.user !== user) continue;
        settling.delete(id);
        waiting.settle({ type: "failed", reason: "it was dropped" });
      }
      return count;
    },
    summary: texts.summary,
    close() {
      closed = true;
      for (const { cancel } of attempts.values()) cancel();
      for (const [id, { settle }] of settling) {
        if (underWay.has(id)) continue;
        settle({ type: "failed", reason: "you have left" });
        settling.delete(id);
      }
    },
  };
}

function hostOf({ host }: ListedAddress): string {
  return canonicalHost(host);
}
