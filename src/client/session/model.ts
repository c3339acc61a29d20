/** The model: a chat's state, the events it handles, and the effects it asks for. */
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
  /** The user who gets typed texts. */
  selected: UserName | undefined;
  /** Whether a prompt shows the selected user: only then does the selection survive a failed `:user`. */
  hasPrompt: boolean;
  /** How many selections failed, and up to which failure a typed line was meant for somebody else. */
  misses: number;
  missed: number;
  /** Who wrote last, and unread counts. */
  inbox: Inbox;
  /** How many texts were sent; also the id of the next one. */
  sent: number;
  /** Texts that did not arrive, or may not have, newest last; without `to` if nobody was selected. */
  undelivered: readonly Undelivered[];
  /** Broadcasts with outcomes still missing. */
  broadcasts: readonly Broadcast[];
  /** Whether the registry answered when it was last asked. */
  registryUp: boolean;
  /** My standing with the registry, by its last list. */
  standing: Standing;
  /** How often it has lost me at this address since it last reached me. */
  losses: number;
  /** Whether I gave my address by hand. */
  byHand: boolean;
  /** Whether I have been warned that the registry does not reach me. */
  unreached: boolean;
  /** Users whom the registry lost together with me, kept while they register again. */
  missing: Users;
  /** Senders I was already warned about. */
  warnedAbout: ReadonlySet<UserName>;
}

export type Standing =
  /** Listed where I am. */
  | { type: "registered" }
  /** Listed at my former address, until the registry has the new one. */
  | { type: "moving"; from: Address }
  /** Missing. @property refused the registry refuses to register me again, and I have been warned */
  | { type: "lost"; refused: boolean }
  /** Listed at somebody else's address; I have been warned. */
  | { type: "displaced"; address: ListedAddress };

/** A text that `:again` resends. */
export interface Undelivered {
  to: UserName | undefined;
  text: string;
}

/** A text to several users, and its outcomes so far. */
export interface Broadcast {
  /** Id of the first text; the others follow, one per user. */
  id: number;
  to: readonly UserName[];
  text: string;
  /** Filled in place: a copy per outcome would be quadratic in the number of users. */
  outcomes: Map<UserName, Outcome>;
}

/** What can be asked of local storage. */
export type Question =
  | { type: "last"; user: UserName | undefined; count: number }
  | { type: "find"; word: string }
  | { type: "waiting" }
  | { type: "drop"; user: UserName | undefined }
  /** @property others how many undelivered texts are resent at the same time */
  | { type: "again"; user: UserName; others: number };

/** Most texts kept for `:again`. */
const MAX_UNDELIVERED = 100;

/** Why the list was fetched: to show it, to select a user, to find where a user went, or because a poll was due. */
export type Purpose =
  | { type: "show" }
  | { type: "select"; user: UserName }
  | { type: "heal" }
  | { type: "poll" }
  /** Pushed by the registry after a change. */
  | { type: "change" };

/** A typed line; at a prompt, with the session's `misses` when it was typed. */
export interface TypedLine {
  type: "line";
  text: string;
  misses?: number;
}

/** What a user writes. */
export type Input =
  | TypedLine
  /** A text to a user who need not be selected or in the known list. */
  | { type: "text"; to: UserName; text: string }
  /** Invalid input, and why. */
  | { type: "refused"; reason: string };

/** What happens (Elm and bubbletea: a message); `Message` is one on the wire. */
export type Msg =
  /** Registered, and listening on a port; `portInUse` is the default port, if it was in use. */
  | { type: "started"; port: number; portInUse: number | undefined }
  | Input
  /** @property doubt why it may not be from its stated sender */
  | { type: "message"; message: Message; doubt: string | undefined }
  /** `count` messages from a source were refused, because it exceeds `perSecond`. */
  | { type: "excess"; source: string; count: number; perSecond: number }
  | { type: "list"; users: Users; purpose: Purpose }
  | { type: "noList"; reason: string; purpose: Purpose }
  | { type: "outcome"; id: number; to: UserName; text: string; outcome: Outcome }
  /** The outcome of a text that waited for its user. */
  | { type: "forwarded"; to: UserName; text: string; outcome: Outcome }
  /** Answers and news from local storage. */
  | { type: "told"; outputs: Output[] }
  /** Time to leave is up, with so many messages to a user unsettled. */
  | { type: "unsettled"; to: UserName; count: number }
  /** Others can take my name, because I have no key to prove it mine. */
  | { type: "noKey"; reason: string }
  /** The registry has lost me, and refuses to register me again. */
  | { type: "notRegistered"; reason: string }
  | { type: "stillRegistered" }
  /** I have joined; my address has changed, but not yet at the registry; now there too. */
  | { type: "registered" }
  | { type: "readdressed"; address: Address }
  | { type: "moved" }
  /** Whether the registry could reach me; undefined if it cannot tell. */
  | { type: "reach"; found: Reach | undefined; asked: boolean }
  /** A remark on how I joined. */
  | { type: "note"; sentence: string };

/** An effect to run (Elm and bubbletea: a command); `Command` is what a user types. */
export type Cmd =
  | { type: "print"; output: Output }
  | { type: "fetchList"; purpose: Purpose }
  /** Sends an encoded text, looking up the address if there is none; the id is unique in this session. */
  | { type: "send"; id: number; to: UserName; address: ListedAddress | undefined; text: string; body: string }
  /** Asks local storage. */
  | { type: "ask"; question: Question }
  /** Registers again, because the registry has lost me. */
  | { type: "register" }
  /** Asks the registry whether it reaches me; `asked` if the user wants to know. */
  | { type: "askReach"; asked: boolean }
  | { type: "leave" };

/** What the user is told. */
export type Output =
  | { type: "welcome"; me: UserName; address: Address; port: number; portInUse: number | undefined }
  /** @property doubtful set if it may not be from its stated sender */
  | { type: "message"; message: Message; doubtful?: true }
  /**
   * A text of mine is on its way; its outcome: each text gets both, in this order.
   * @property grouped set if it is part of a broadcast, whose result is reported together
   */
  | { type: "sending"; id: number; to: UserName; text: string; grouped?: true }
  | { type: "outcome"; id: number; to: UserName; text: string; outcome: Outcome; grouped?: true }
  /** The same two for a text of mine to several users. */
  | { type: "broadcasting"; id: number; to: readonly UserName[]; text: string }
  | { type: "broadcast"; id: number; text: string; outcomes: ReadonlyMap<UserName, Outcome> }
  /** The outcome of a text that waited; the outcomes of all that were sent together. */
  | { type: "forwarded"; to: UserName; text: string; outcome: Outcome }
  | { type: "back"; user: UserName; outcomes: readonly Outcome[] }
  /** So many texts wait on, because the user is at another host, or somebody else has had the name. */
  | { type: "elsewhere"; user: UserName; address: ListedAddress; count: number }
  /** Messages from the transcript. */
  | { type: "said"; title: string; messages: readonly Said[] }
  /**
   * @property kept whether it survives this client
   * @property texts the oldest of them, if requested
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
  /** My address has changed, and the registry has the new one. */
  | { type: "address"; address: Address }
  /** The registry reaches me; `from` is the address it connects from. */
  | { type: "reached"; address: Address; from: string | undefined }
  | { type: "registry"; up: boolean }
  /** Unsolicited, unlike a failure, which answers a command. */
  | { type: "warning"; sentence: string }
  | { type: "help" }
  | { type: "failure"; sentence: string };

/** The new session, and the effects to run, in order. */
export type Update = [Session, Cmd[]];

/**
 * A session before the first list.
 * @param address where I am registered
 * @param byHand whether I gave it by hand. @default no
 * @param hasPrompt whether a prompt shows the selected user. @default no
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

/** Shows the user something. */
export function print(output: Output): Cmd {
  return { type: "print", output };
}

/** Warns of something no command asked for. */
export function warn(sentence: string): Cmd {
  return print({ type: "warning", sentence });
}

/** Reports that a command failed, and what to do. */
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
 * Reports that a user could not be selected. Lines already typed were meant for that user, so they go to nobody; so do
 * all later ones, unless a prompt shows that the selection stays. @param user undefined if none was named
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

/** Keeps a text for `:again`. */
export function keep(session: Session, text: Undelivered): Session {
  return { ...session, undelivered: [...session.undelivered, text].slice(-MAX_UNDELIVERED) };
}
