/** The chat itself: what each event changes and calls for. No I/O, no clock, no console. */
import { PROTOCOLS } from "../core/protocol.ts";
import type { Address, Message, UserName } from "../core/schemas.ts";
import { runLine } from "./commands.ts";
import type { ListedAddress, Users } from "./registry.ts";
import type { Outcome } from "./transports/index.ts";

export interface Session {
  me: UserName;
  users: Users;
  /** Who gets the messages. */
  selected: UserName | undefined;
}

/** Why the list was asked for: to show it, to select a user, or to see where a user went. */
export type Purpose = { type: "show" } | { type: "select"; user: UserName } | { type: "heal" };

export type Event =
  /** Registered at an address; `portInUse` is the default port that somebody else had. */
  | { type: "joined"; address: Address; port: number; portInUse: number | undefined }
  | { type: "line"; text: string }
  | { type: "message"; message: Message }
  | { type: "list"; users: Users; purpose: Purpose }
  | { type: "noList"; reason: string; purpose: Purpose }
  | { type: "outcome"; to: UserName; outcome: Outcome }
  /** Time to leave is up, and so many messages to a user are not settled. */
  | { type: "unsettled"; to: UserName; count: number }
  | { type: "stillRegistered" };

export type Effect =
  | { type: "print"; output: Output }
  | { type: "fetchList"; purpose: Purpose }
  | { type: "send"; to: UserName; address: ListedAddress; body: string }
  | { type: "leave" };

/** What the user is told. */
export type Output =
  | { type: "welcome"; me: UserName; address: Address; port: number; portInUse: number | undefined }
  | { type: "message"; message: Message }
  | { type: "users"; users: Users; me: UserName }
  | { type: "selected"; user: UserName; address: ListedAddress }
  | { type: "gone"; user: UserName }
  | { type: "help" }
  | { type: "failure"; sentence: string };

export type Step = [Session, Effect[]];

export function startSession(me: UserName): Session {
  return { me, users: new Map(), selected: undefined };
}

/** The session after an event, and what is to be done about it, in that order. */
export function step(session: Session, event: Event): Step {
  switch (event.type) {
    case "joined": {
      const { address, port, portInUse } = event;
      const welcome = print({ type: "welcome", me: session.me, address, port, portInUse });
      return [session, [welcome, { type: "fetchList", purpose: { type: "show" } }]];
    }
    case "line":
      return runLine(session, event.text);
    case "message":
      return [session, [print({ type: "message", message: event.message })]];
    case "list":
      return takeList(session, event.users, event.purpose);
    case "noList":
      if (event.purpose.type === "heal") return [session, []];
      return [session, [fail(`${event.reason}; the known list stays`)]];
    case "outcome":
      return [session, tell(event.to, event.outcome)];
    case "unsettled": {
      const what = event.count === 1 ? "1 message" : `${event.count} messages`;
      return [session, [fail(`left before ${what} to ${event.to} could be delivered`)]];
    }
    case "stillRegistered":
      return [session, [fail(`the registry could not be asked to remove ${session.me}`)]];
  }
}

export function print(output: Output): Effect {
  return { type: "print", output };
}

export function fail(sentence: string): Effect {
  return print({ type: "failure", sentence });
}

/** Selects a user of the known list. */
export function select(session: Session, user: UserName): Step {
  const address = session.users.get(user);
  if (!address) return [session, [fail(`no such user: ${user}; :update lists them all`)]];
  if (!supports(address.protocol)) {
    return [session, [fail(`${user} listens on ${address.protocol}, which this client does not speak`)]];
  }
  return [{ ...session, selected: user }, [print({ type: "selected", user, address })]];
}

function supports(protocol: string): boolean {
  return Object.hasOwn(PROTOCOLS, protocol);
}

function takeList(before: Session, users: Users, purpose: Purpose): Step {
  const session = { ...before, users };
  const effects: Effect[] = [];
  if (purpose.type === "show") effects.push(print({ type: "users", users, me: session.me }));
  if (session.selected !== undefined && !users.has(session.selected)) {
    effects.push(print({ type: "gone", user: session.selected }));
    session.selected = undefined;
  }
  if (purpose.type !== "select") return [session, effects];
  const [selected, more] = select(session, purpose.user);
  return [selected, [...effects, ...more]];
}

function tell(to: UserName, outcome: Outcome): Effect[] {
  switch (outcome.type) {
    case "delivered":
    case "sent":
      return [];
    case "unanswered":
      return [fail(`no answer from ${to} in ${outcome.seconds} s; it may have arrived`)];
    case "broken":
      return [fail(`the connection to ${to} broke before an answer; it may have arrived`)];
    case "failed":
      return [fail(`not delivered to ${to}: ${outcome.reason}`)];
  }
}
