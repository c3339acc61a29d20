/** Notices to the user as sentences. Text from outside is escaped here. */
import { formatAddress } from "../../core/address.ts";
import { visible, visibleName } from "../../core/sanitize.ts";
import type { UserName } from "../../core/schemas.ts";
import type { Said } from "../storage/transcript.ts";
import type { Outcome } from "../transports/types.ts";
import type { Output } from "./model.ts";

export type Notice = Exclude<
  Output,
  {
    type:
      | "message"
      | "sending"
      | "outcome"
      | "broadcasting"
      | "broadcast"
      | "forwarded"
      | "users"
      | "help"
      | "said"
      | "waits";
  }
>;

/** A notice as a sentence without time or style. */
export function sentenceOf(notice: Notice): string {
  switch (notice.type) {
    case "welcome": {
      const { me, address, port, portInUse } = notice;
      const instead =
        portInUse === undefined ? "" : `; port ${portInUse} is in use, so you listen on ${port}`;
      return `you are ${me} at ${formatAddress(address)}${instead}; :help lists the commands`;
    }
    case "selected":
      return `your messages go to ${visibleName(notice.user)} at ${visible(formatAddress(notice.address))}`;
    case "gone":
      return `${visibleName(notice.user)} left; nobody is selected (:to ${visibleName(notice.user)} <text> leaves a message)`;
    case "joined":
    case "left":
    case "moved":
      return `${visibleName(notice.user)} ${notice.type}`;
    case "displaced": {
      const address = visible(formatAddress(notice.address));
      return `${notice.me} is registered at ${address} now, so messages to you go there`;
    }
    case "address":
      return `you are at ${formatAddress(notice.address)} now, and the registry knows`;
    case "reached": {
      const from = notice.from === undefined ? "" : ` from ${visible(notice.from)}`;
      return `the registry reaches you at ${formatAddress(notice.address)}${from}`;
    }
    case "registry":
      if (notice.up) return "the registry is back";
      return "the registry does not answer; the chat goes on with the known list";
    case "back":
      return `${visibleName(notice.user)} is back: ${tally(notice.outcomes)}`;
    case "elsewhere": {
      const { user, address, count } = notice;
      const who = visibleName(user);
      return `${who} is at ${visible(address.host)} now, where it was not when you wrote ${textsOf(count)}; :again ${who} sends what waits`;
    }
    case "dropped":
      return notice.count === 0
        ? `nothing waits${notice.user === undefined ? "" : ` for ${visibleName(notice.user)}`}`
        : `forgot ${textsOf(notice.count)}${notice.user === undefined ? "" : ` to ${visibleName(notice.user)}`}`;
    case "failure":
    case "warning":
      return visible(notice.sentence);
  }
}

/** A sentence as the start of a longer one: without its full stop. */
export function clause(sentence: string): string {
  return sentence.replace(/[.\s]+$/, "");
}

/** What to do about a failed text; empty for a permanent failure, which is not retried. */
export function remedyFor(outcome: Outcome): string {
  return outcome.type === "failed" && !outcome.permanent ? "; :again retries" : "";
}

/** Why a text may not have arrived; undefined if it was delivered, or sent with no way to know more. */
export function troubleOf(to: string, outcome: Outcome): string | undefined {
  const user = visibleName(to);
  switch (outcome.type) {
    case "delivered":
    case "sent":
      return undefined;
    case "unanswered":
      return `no answer from ${user} in ${outcome.seconds} s; it may have arrived`;
    case "broken":
      return `the connection to ${user} broke before an answer; it may have arrived`;
    case "failed":
      return `not delivered to ${user}: ${visible(outcome.permanent ? outcome.reason : clause(outcome.reason))}`;
    case "waiting":
      return `not delivered to ${user} yet: ${visible(clause(outcome.reason))}; it waits until ${user} is back`;
  }
}

/** How outcomes are counted, in display order. */
const COUNTED: [word: string, types: Outcome["type"][]][] = [
  ["delivered", ["delivered"]],
  ["sent", ["sent"]],
  ["unknown", ["unanswered", "broken"]],
  ["failed", ["failed"]],
  ["waiting", ["waiting"]],
];

/** Most users named after a count. */
const MAX_NAMED = 5;

/** Counts of the outcomes of several texts: `5 delivered, 1 sent`. */
function tally(outcomes: readonly Outcome[]): string {
  return COUNTED.map(([word, types]) => [word, outcomes.filter(({ type }) => types.includes(type)).length])
    .filter(([, count]) => count !== 0)
    .map(([word, count]) => `${count} ${word}`)
    .join(", ");
}

/** The outcomes of a text to several users: `to 7 users: 5 delivered, 1 sent, 1 waits (dave)`. */
export function resultOf(outcomes: ReadonlyMap<UserName, Outcome>): string {
  return `to ${outcomes.size} ${outcomes.size === 1 ? "user" : "users"}: ${countsOf(outcomes)}`;
}

/** The same without the number of users. */
export function countsOf(outcomes: ReadonlyMap<UserName, Outcome>): string {
  const parts: string[] = [];
  for (const [word, types] of COUNTED) {
    const found = [...outcomes].filter(([, { type }]) => types.includes(type));
    if (found.length === 0) continue;
    const users = found.map(([user]) => user);
    const verb = word === "waiting" ? (users.length === 1 ? "waits" : "wait") : word;
    const isFine = word === "delivered" || word === "sent";
    const detail = word === "failed" ? failuresOf(outcomes) : namesOf(users);
    parts.push(`${users.length} ${verb}${isFine ? "" : ` (${detail})`}`);
  }
  return parts.join(", ");
}

/** Failures by reason: `carol, dave: connection refused; eve: it answered 500`; "" if there are none. */
export function failuresOf(outcomes: ReadonlyMap<UserName, Outcome>): string {
  const byReason = new Map<string, UserName[]>();
  for (const [user, outcome] of outcomes) {
    if (outcome.type !== "failed") continue;
    const reason = visible(clause(outcome.reason));
    byReason.set(reason, [...(byReason.get(reason) ?? []), user]);
  }
  const parts = [...byReason].slice(0, MAX_NAMED).map(([reason, users]) => `${namesOf(users)}: ${reason}`);
  return byReason.size <= MAX_NAMED ? parts.join("; ") : `${parts.join("; ")}; and others`;
}

function namesOf(users: readonly UserName[]): string {
  const named = users.slice(0, MAX_NAMED).map(visibleName).join(", ");
  return users.length <= MAX_NAMED ? named : `${named} and ${users.length - MAX_NAMED} more`;
}

/** What waits, one line per user; unless kept, also that it is lost on leaving. */
export function waitsOf({ waiting, kept }: Extract<Output, { type: "waits" }>): string[] {
  if (waiting.length === 0) return ["nothing waits"];
  const lines = waiting.map(({ user, host, taken, count, since }) => {
    const why = taken ? `; not sent by itself (:again ${visibleName(user)})` : "";
    return `${textsOf(count)} for ${visibleName(user)} at ${visible(host)}, since ${dateTime(since)}${why}`;
  });
  return kept ? lines : [...lines, "they are lost when you leave, because nothing is kept"];
}

function textsOf(count: number): string {
  return count === 1 ? "1 text" : `${count} texts`;
}

/** Local time: 2026-03-01 12:34. */
export function dateTime(at: number): string {
  const date = new Date(at);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A message from the transcript in one line, for pipes. */
export function lineOf({ at, user, mine, outcome, doubtful, text }: Said): string {
  const name = visibleName(user);
  const who = mine ? `to ${name}` : `${name}${doubtful ? "?" : ""}`;
  const end = !mine || outcome === "delivered" ? "" : ` (${outcome ?? "unknown"})`;
  return `${dateTime(at)} ${who}: ${visible(text)}${end}`;
}
