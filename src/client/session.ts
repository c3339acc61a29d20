/** The chat itself: what each event changes and calls for. No I/O, no clock, no console. */
import { sameAddress } from "../core/address.ts";
import { PROTOCOLS } from "../core/protocol.ts";
import type { Address, Message, UserName } from "../core/schemas.ts";
import { runLine, sendText } from "./commands.ts";
import { hear, type Inbox, markRead, startInbox } from "./inbox.ts";
import type { Outcome } from "./transports/index.ts";
import type { ListedAddress, Users } from "./users.ts";

/** Most doubtful senders that are remembered; beyond, one may be told of twice. */
const MAX_DOUBTED = 1000;

export interface Session {
  me: UserName;
  /** Where I am registered. */
  address: Address;
  users: Users;
  /** Who gets the messages. */
  selected: UserName | undefined;
  /** Who wrote, and what of it is not read. */
  inbox: Inbox;
  /** How many texts were sent; the next one gets this as its id. */
  sent: number;
  /** Texts that did not arrive, or may not have, the last one at the end; without `to` if nobody was selected. */
  undelivered: readonly Undelivered[];
  /** Whether the registry answered when it was last asked. */
  registryUp: boolean;
  /** Where my name points instead, if I have been warned. */
  elsewhere: ListedAddress | undefined;
  /** Whether the registry, which has lost me, does not take me again, and I have been warned. */
  refused: boolean;
  /** The last list did not hold me. */
  lost: boolean;
  /** Of whose messages I have been told that they may not be theirs. */
  doubted: ReadonlySet<UserName>;
}

export interface Undelivered {
  to: UserName | undefined;
  text: string;
}

/** Most texts that are kept to be sent again. */
const MAX_UNDELIVERED = 100;

/** Why the list was asked for: to show it, to select a user, to see where a user went, or because it was time. */
export type Purpose =
  | { type: "show" }
  | { type: "select"; user: UserName }
  | { type: "heal" }
  | { type: "poll" };

export type Event =
  /** Registered, and listening on a port; `portInUse` is the default port that somebody else had. */
  | { type: "started"; port: number; portInUse: number | undefined }
  | { type: "line"; text: string }
  /** A text to somebody who need not be selected, nor in the known list. */
  | { type: "text"; to: UserName; text: string }
  /** An input of no use, and why. */
  | { type: "refused"; reason: string }
  /**
   * @property source the IP address it came from
   * @property doubt why it may not be from whom it says
   */
  | { type: "message"; message: Message; source: string; doubt: string | undefined }
  /** So many messages of a source were refused, because it sends more than so many a second. */
  | { type: "excess"; source: string; count: number; perSecond: number }
  | { type: "list"; users: Users; purpose: Purpose }
  | { type: "noList"; reason: string; purpose: Purpose }
  | { type: "outcome"; id: number; to: UserName; text: string; outcome: Outcome }
  /** Time to leave is up, and so many messages to a user are not settled. */
  | { type: "unsettled"; to: UserName; count: number }
  /** Others can take the name, because there is no key that makes it mine. */
  | { type: "noKey"; reason: string }
  /** The registry, which has lost me, does not take me again. */
  | { type: "notRegistered"; reason: string }
  | { type: "stillRegistered" };

export type Effect =
  | { type: "print"; output: Output }
  | { type: "fetchList"; purpose: Purpose }
  /** Sends an encoded text, to be looked up first without an address; its id tells it from the others of this session. */
  | { type: "send"; id: number; to: UserName; address: ListedAddress | undefined; text: string; body: string }
  /** The registry has lost me. */
  | { type: "register" }
  | { type: "leave" };

/** What the user is told. */
export type Output =
  | { type: "welcome"; me: UserName; address: Address; port: number; portInUse: number | undefined }
  /** @property doubtful set if it may not be from whom it says */
  | { type: "message"; message: Message; doubtful?: true }
  /** My own text is on its way, and what became of it: each text that is sent gets both, in this order. */
  | { type: "sending"; id: number; to: UserName; text: string }
  | { type: "fate"; id: number; to: UserName; text: string; outcome: Outcome }
  | { type: "users"; users: Users; me: UserName }
  | { type: "selected"; user: UserName; address: ListedAddress }
  /** The selected user left; the address is where it was. */
  | { type: "gone"; user: UserName; address: ListedAddress }
  | { type: "joined" | "moved" | "left"; user: UserName; address: ListedAddress }
  /** My name points to somebody else's address. */
  | { type: "displaced"; me: UserName; address: ListedAddress }
  | { type: "registry"; up: boolean }
  /** Something to know that no command asked for. */
  | { type: "warning"; sentence: string }
  | { type: "help" }
  | { type: "failure"; sentence: string };

export type Step = [Session, Effect[]];

export function startSession(me: UserName, address: Address): Session {
  return {
    me,
    address,
    users: new Map(),
    selected: undefined,
    inbox: startInbox(),
    sent: 0,
    undelivered: [],
    registryUp: true,
    elsewhere: undefined,
    refused: false,
    lost: false,
    doubted: new Set(),
  };
}

/** The session after an event, and what is to be done about it, in that order. */
export function step(session: Session, event: Event): Step {
  switch (event.type) {
    case "started": {
      const { me, address } = session;
      const welcome = print({ type: "welcome", me, address, port: event.port, portInUse: event.portInUse });
      return [session, [welcome, { type: "fetchList", purpose: { type: "show" } }]];
    }
    case "line":
      return runLine(session, event.text);
    case "text":
      return sendText(session, event.to, event.text);
    case "refused":
      return [session, [fail(event.reason)]];
    case "message":
      return takeMessage(session, event.message, event.doubt);
    case "excess": {
      const { source, count, perSecond } = event;
      const sentence = `refused ${count} messages from ${source}, which sends more than ${perSecond} a second`;
      return [session, [warn(sentence)]];
    }
    case "list":
      return takeList(session, event.users, event.purpose);
    case "noList":
      return missList(session, event.reason, event.purpose);
    case "outcome":
      return [takeOutcome(session, event), [print({ ...event, type: "fate" })]];
    case "unsettled": {
      const what = event.count === 1 ? "1 message" : `${event.count} messages`;
      return [session, [fail(`left before ${what} to ${event.to} could be delivered`)]];
    }
    case "noKey":
      return [session, [warn(`anybody can take the name ${session.me} from you: ${event.reason}`)]];
    case "notRegistered": {
      if (session.refused) return [session, []];
      const sentence = `others cannot find you, and you are not registered again: ${event.reason}`;
      return [{ ...session, refused: true }, [warn(sentence)]];
    }
    case "stillRegistered":
      return [session, [fail(`the registry could not be asked to remove ${session.me}`)]];
  }
}

/** A doubtful message is shown as one, never kept from the user: there are routers that change addresses. */
function takeMessage(before: Session, message: Message, doubt: string | undefined): Step {
  const session = { ...before, inbox: hear(before.inbox, message.user, before.selected) };
  if (doubt === undefined) return [session, [print({ type: "message", message })]];
  const shown = print({ type: "message", message, doubtful: true });
  const { doubted } = session;
  if (doubted.has(message.user)) return [session, [shown]];
  session.doubted = new Set([...(doubted.size < MAX_DOUBTED ? doubted : []), message.user]);
  return [session, [print({ type: "warning", sentence: doubt }), shown]];
}

export function print(output: Output): Effect {
  return { type: "print", output };
}

function warn(sentence: string): Effect {
  return print({ type: "warning", sentence });
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
  const inbox = markRead(session.inbox, user);
  return [{ ...session, selected: user, inbox }, [print({ type: "selected", user, address })]];
}

/** Keeps a text, so that it can be sent again. */
export function keep(session: Session, text: Undelivered): Session {
  return { ...session, undelivered: [...session.undelivered, text].slice(-MAX_UNDELIVERED) };
}

function takeOutcome(session: Session, { to, text, outcome }: Undelivered & { outcome: Outcome }): Session {
  const arrived = outcome.type === "delivered" || outcome.type === "sent";
  return arrived ? session : keep(session, { to, text });
}

function supports(protocol: string): boolean {
  return Object.hasOwn(PROTOCOLS, protocol);
}

function takeList(before: Session, listed: Users, purpose: Purpose): Step {
  const lost = !listed.has(before.me);
  // A registry that has lost me, as by a restart, has lost others too: they get one more list to register again.
  const patient = lost && !before.lost && (purpose.type === "poll" || purpose.type === "heal");
  const users = patient ? new Map([...before.users, ...listed]) : listed;
  let session: Session = { ...before, users, lost, registryUp: true };
  const effects: Effect[] = [];
  if (!before.registryUp) effects.push(print({ type: "registry", up: true }));
  if (purpose.type === "show") effects.push(print({ type: "users", users, me: session.me }));
  else effects.push(...changes(before, users));
  const { selected: user } = session;
  const address = user === undefined ? undefined : before.users.get(user);
  if (user !== undefined && address && !users.has(user)) {
    session = { ...session, selected: undefined };
    effects.push(print({ type: "gone", user, address }));
  }
  let more: Effect[];
  [session, more] = findMyself(session);
  effects.push(...more);
  if (purpose.type === "select") {
    [session, more] = select(session, purpose.user);
    effects.push(...more);
  }
  return [session, effects];
}

function missList(before: Session, reason: string, purpose: Purpose): Step {
  const session = { ...before, registryUp: false };
  if (purpose.type !== "poll") return [session, [fail(`${reason}; the known list stays`)]];
  return [session, before.registryUp ? [print({ type: "registry", up: false })] : []];
}

/** What differs from the known list, but for myself and for a selected user who left, who is told of as gone. */
function changes({ me, selected, users: before }: Session, after: Users): Effect[] {
  const effects: Effect[] = [];
  for (const [user, address] of after) {
    if (user === me) continue;
    const known = before.get(user);
    if (!known) effects.push(print({ type: "joined", user, address }));
    else if (!sameAddress(known, address)) effects.push(print({ type: "moved", user, address }));
  }
  for (const [user, address] of before) {
    if (user === me || user === selected || after.has(user)) continue;
    effects.push(print({ type: "left", user, address }));
  }
  return effects;
}

/** Registers again what the registry has lost, and does not fight over a name that somebody else has taken. */
function findMyself(session: Session): Step {
  const { me, address, users, elsewhere, lost } = session;
  const listed = users.get(me);
  if (lost || !listed) return [{ ...session, elsewhere: undefined }, [{ type: "register" }]];
  if (sameAddress(listed, address)) return [{ ...session, elsewhere: undefined, refused: false }, []];
  if (elsewhere && sameAddress(listed, elsewhere)) return [session, []];
  return [
    { ...session, elsewhere: listed, refused: false },
    [print({ type: "displaced", me, address: listed })],
  ];
}
