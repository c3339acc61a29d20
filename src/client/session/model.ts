/** A chat as it stands, what happens to it, and what it calls for. */
import { isProtocol } from "../../core/protocol.ts";
import type { Address, Message, UserName } from "../../core/schemas.ts";
import { nearestUser } from "../registry/listed-users.ts";
import type { ListedAddress, Reach, Users } from "../registry/types.ts";
import type { Said } from "../storage/transcript.ts";
import type { WaitingFor } from "../storage/waiting-texts.ts";
import type { Outcome } from "../transports/types.ts";
import { type Inbox, markRead, startInbox } from "./unread.ts";

export interface Session {
  me: UserName;
  /** Where I am registered. */
  address: Address;
  users: Users;
  /** Who gets the messages. */
  selected: UserName | undefined;
  /** Whether a prompt shows who that is: only then may whoever was selected stay so after a failed `:user`. */
  hasPrompt: boolean;
  /** How often nobody could be selected, and up to which of these failures a line was meant for somebody else. */
  misses: number;
  missed: number;
  /** Who wrote, and what of it is not read. */
  inbox: Inbox;
  /** How many texts were sent; the next one gets this as its id. */
  sent: number;
  /** Texts that did not arrive, or may not have, the last one at the end; without `to` if nobody was selected. */
  undelivered: readonly Undelivered[];
  /** Texts to several users whose result is not whole yet. */
  broadcasts: readonly Broadcast[];
  /** Whether the registry answered when it was last asked. */
  registryUp: boolean;
  /** Where I stand with the registry, by its last list. */
  standing: Standing;
  /** How often it has lost me at this address, since it last reached me. */
  losses: number;
  /** Whether my address was given by hand, for others to reach me at. */
  byHand: boolean;
  /** Whether I have been warned that the registry does not reach me. */
  unreached: boolean;
  /** Users whom the registry lost together with me, and who are kept for the time that they need to register again. */
  missing: Users;
  /** Of whose messages I have been told that they may not be theirs. */
  warnedAbout: ReadonlySet<UserName>;
}

export type Standing =
  /** Listed where I am. */
  | { type: "registered" }
  /** Listed where I was, until the registry has been told of my new address. */
  | { type: "moving"; from: Address }
  /** Missing. @property refused the registry does not take me again, and I have been warned */
  | { type: "lost"; refused: boolean }
  /** Listed at somebody else's address, of which I have been warned. */
  | { type: "displaced"; address: ListedAddress };

/** A text to be sent again. */
export interface Undelivered {
  to: UserName | undefined;
  text: string;
}

/** A text to several users, and what became of it so far. */
export interface Broadcast {
  /** Of the first text; the others follow, one for each user. */
  id: number;
  to: readonly UserName[];
  text: string;
  /** Filled in place: a copy for each of 10,000 users would take as many times as long. */
  outcomes: Map<UserName, Outcome>;
}

/** What can be asked of what is kept. */
export type Question =
  | { type: "last"; user: UserName | undefined; count: number }
  | { type: "find"; word: string }
  | { type: "waiting" }
  | { type: "drop"; user: UserName | undefined }
  /** @property others how many more texts are sent again at the same time */
  | { type: "again"; user: UserName; others: number };

/** Most texts that are kept to be sent again. */
const MAX_UNDELIVERED = 100;

/** Why there is a list: it was asked for to show it, to select a user, to see where a user went, or because it was time. */
export type Purpose =
  | { type: "show" }
  | { type: "select"; user: UserName }
  | { type: "heal" }
  | { type: "poll" }
  /** Not asked for: the registry told of a change. */
  | { type: "change" };

/** A line as it is typed; of a prompt, with the `misses` of the session that it was typed under. */
export interface TypedLine {
  type: "line";
  text: string;
  misses?: number;
}

/** What a user writes. */
export type Input =
  | TypedLine
  /** A text to somebody who need not be selected, nor in the known list. */
  | { type: "text"; to: UserName; text: string }
  /** An input of no use, and why. */
  | { type: "refused"; reason: string };

/** What happens (Elm and bubbletea: a message); `Message` is one on the wire. */
export type Msg =
  /** Registered, and listening on a port; `portInUse` is the default port that somebody else had. */
  | { type: "started"; port: number; portInUse: number | undefined }
  | Input
  /** @property doubt why it may not be from whom it says */
  | { type: "message"; message: Message; doubt: string | undefined }
  /** So many messages of a source were refused, because it sends more than so many a second. */
  | { type: "excess"; source: string; count: number; perSecond: number }
  | { type: "list"; users: Users; purpose: Purpose }
  | { type: "noList"; reason: string; purpose: Purpose }
  | { type: "outcome"; id: number; to: UserName; text: string; outcome: Outcome }
  /** What became of a text that waited for its user to be back. */
  | { type: "forwarded"; to: UserName; text: string; outcome: Outcome }
  /** Answers to what was asked of what is kept, and news of it. */
  | { type: "told"; outputs: Output[] }
  /** Time to leave is up, and so many messages to a user are not settled. */
  | { type: "unsettled"; to: UserName; count: number }
  /** Others can take the name, because there is no key that makes it mine. */
  | { type: "noKey"; reason: string }
  /** The registry, which has lost me, does not take me again. */
  | { type: "notRegistered"; reason: string }
  | { type: "stillRegistered" }
  /** I have joined. My address is another now, and the registry is yet to be told; or has been. */
  | { type: "registered" }
  | { type: "readdressed"; address: Address }
  | { type: "moved" }
  /** What the registry found when it tried to reach me; undefined if it cannot tell. */
  | { type: "reach"; found: Reach | undefined; asked: boolean }
  /** Something to know about how I have joined. */
  | { type: "note"; sentence: string };

/** What is to be done (Elm and bubbletea: a command); `Command` is what a user types. */
export type Cmd =
  | { type: "print"; output: Output }
  | { type: "fetchList"; purpose: Purpose }
  /** Sends an encoded text, to be looked up first without an address; its id tells it from the others of this session. */
  | { type: "send"; id: number; to: UserName; address: ListedAddress | undefined; text: string; body: string }
  /** Asks what is kept. */
  | { type: "ask"; question: Question }
  /** The registry has lost me. */
  | { type: "register" }
  /** Asks the registry whether it reaches me; `asked` if the user wants to know. */
  | { type: "askReach"; asked: boolean }
  | { type: "leave" };

/** What the user is told. */
export type Output =
  | { type: "welcome"; me: UserName; address: Address; port: number; portInUse: number | undefined }
  /** @property doubtful set if it may not be from whom it says */
  | { type: "message"; message: Message; doubtful?: true }
  /**
   * My own text is on its way, and what became of it: each text that is sent gets both, in this order.
   * @property grouped set if it is one of several, whose result is told together
   */
  | { type: "sending"; id: number; to: UserName; text: string; grouped?: true }
  | { type: "outcome"; id: number; to: UserName; text: string; outcome: Outcome; grouped?: true }
  /** My own text to several users, as these two are to one. */
  | { type: "broadcasting"; id: number; to: readonly UserName[]; text: string }
  | { type: "broadcast"; id: number; text: string; outcomes: ReadonlyMap<UserName, Outcome> }
  /** What became of a text that waited, and of all that left together. */
  | { type: "forwarded"; to: UserName; text: string; outcome: Outcome }
  | { type: "back"; user: UserName; outcomes: readonly Outcome[] }
  /** So many texts wait on, because the user is elsewhere, or somebody else was. */
  | { type: "elsewhere"; user: UserName; address: ListedAddress; count: number }
  /** What was said before. */
  | { type: "said"; title: string; messages: readonly Said[] }
  /**
   * @property kept whether it is there after the end of this client
   * @property texts the oldest of them, if they were asked for
   */
  | { type: "waits"; waiting: readonly WaitingFor[]; kept: boolean; texts?: readonly Said[] }
  | { type: "dropped"; user: UserName | undefined; count: number }
  | { type: "users"; users: Users; me: UserName }
  | { type: "selected"; user: UserName; address: ListedAddress }
  /** The selected user left; the address is where it was. */
  | { type: "gone"; user: UserName; address: ListedAddress }
  | { type: "joined" | "moved" | "left"; user: UserName; address: ListedAddress }
  /** My name points to somebody else's address. */
  | { type: "displaced"; me: UserName; address: ListedAddress }
  /** I have moved, and the registry knows. */
  | { type: "address"; address: Address }
  /** The registry reaches me; `from` is the address from which it asks. */
  | { type: "reached"; address: Address; from: string | undefined }
  | { type: "registry"; up: boolean }
  /** Something to know that no command asked for. */
  | { type: "warning"; sentence: string }
  | { type: "help" }
  | { type: "failure"; sentence: string };

/** The session after something has happened, and what is to be done about it, in that order. */
export type Update = [Session, Cmd[]];

/**
 * Nobody is known yet: the first list tells.
 * @param address where I am registered
 * @param byHand whether it was given by hand, for others to reach me at. @default no
 * @param hasPrompt whether a prompt shows who is selected. @default no
 */
export function startSession(
  me: UserName,
  address: Address,
  { byHand = false, hasPrompt = false } = {},
): Session {
  return {
    me,
    address,
    users: new Map(),
    selected: undefined,
    hasPrompt,
    misses: 0,
    missed: 0,
    inbox: startInbox(),
    sent: 0,
    undelivered: [],
    broadcasts: [],
    registryUp: true,
    standing: { type: "registered" },
    losses: 0,
    byHand,
    unreached: false,
    missing: new Map(),
    warnedAbout: new Set(),
  };
}

/** Tells the user something. */
export function print(output: Output): Cmd {
  return { type: "print", output };
}

/** Tells of something that no command asked for. */
export function warn(sentence: string): Cmd {
  return print({ type: "warning", sentence });
}

/** Tells that a command failed, and what to do. */
export function fail(sentence: string): Cmd {
  return print({ type: "failure", sentence });
}

/** Selects a user of the known list. */
export function select(session: Session, user: UserName): Update {
  const { users } = session;
  const address = users.get(user);
  if (!address) {
    const meant = nearestUser(user, users);
    const hint = meant === undefined ? ":update lists them all" : `did you mean :user ${meant}?`;
    return miss(session, `no such user: ${user}; ${hint}`, user);
  }
  if (!isProtocol(address.protocol)) {
    const { protocol } = address;
    return miss(session, `${user} listens on ${protocol}, which this client does not speak`, user);
  }
  const inbox = markRead(session.inbox, user);
  return [{ ...session, selected: user, missed: 0, inbox }, [print({ type: "selected", user, address })]];
}

/**
 * A user could not be selected. Lines that were already on their way are meant for that user, so they go to nobody: all
 * lines behind it, unless a prompt shows that whoever was selected stays so. @param user undefined if none was named
 */
export function miss(session: Session, sentence: string, user?: UserName): Update {
  const { hasPrompt, selected, misses } = session;
  const next: Session = hasPrompt
    ? { ...session, misses: misses + 1, missed: misses + 1 }
    : { ...session, selected: undefined };
  if (selected === undefined || selected === user) return [next, [fail(sentence)]];
  const now = hasPrompt ? `your messages still go to ${selected}` : "nobody is selected now";
  return [next, [fail(`${sentence} (${now})`)]];
}

/** Keeps a text, so that it can be sent again. */
export function keep(session: Session, text: Undelivered): Session {
  return { ...session, undelivered: [...session.undelivered, text].slice(-MAX_UNDELIVERED) };
}
