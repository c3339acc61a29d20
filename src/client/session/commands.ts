/** Interprets a line. The table holds every command; :help is made from it. */

import { TalkError } from "../../core/errors.ts";
import { encodeMessage } from "../../core/message.ts";
import type { UserName } from "../../core/schemas.ts";
import { suggest } from "../../core/suggest.ts";
import { sendTo, sendToAll } from "./broadcast.ts";
import {
  type Cmd,
  fail,
  keep,
  miss,
  print,
  type Session,
  select,
  type TypedLine,
  type Undelivered,
  type Update,
} from "./model.ts";
import { dropWaiting, find, last } from "./recall.ts";
import { sendText } from "./send-text.ts";

interface Command {
  usage: string;
  help: string;
  run: (session: Session, argument: string) => Update;
  /** Runs even while a lookup for `:user` is pending. */
  atOnce?: true;
}

const NOBODY_SELECTED = "nobody is selected; choose with :user <user>, :update lists them all";

/** Most characters of a text quoted in an error. */
const MAX_SHOWN = 60;

/** Keyed by the word after the colon. */
export const commands: Record<string, Command> = {
  update: {
    usage: ":update",
    help: "asks the registry who is there, and lists them",
    run: (session) => [session, [{ type: "fetchList", purpose: { type: "show" } }]],
    atOnce: true,
  },
  user: {
    usage: ":user <user>",
    help: "selects who gets your messages",
    run(session, user) {
      if (user === "") return miss(session, "usage: :user <user>; :update lists them all");
      return lookUpAndSelect(session, user);
    },
  },
  reply: {
    usage: ":reply",
    help: "selects who wrote last",
    run(session) {
      const { last } = session.inbox;
      if (last === undefined) return miss(session, "nobody has written yet");
      return lookUpAndSelect(session, last);
    },
  },
  to: {
    usage: ":to <user>[,…] <text>",
    help: "sends a text without selecting anybody",
    run: sendTo,
  },
  all: {
    usage: ":all <text>",
    help: "sends a text to everybody who is there",
    run: sendToAll,
  },
  again: {
    usage: ":again [user]",
    help: "resends, in order, what was not delivered",
    run: sendAgain,
  },
  last: {
    usage: ":last [user] [number]",
    help: "shows what was said last, by all or with one user",
    run: last,
    atOnce: true,
  },
  find: {
    usage: ":find <word>",
    help: "shows what was said with a word in it",
    run: find,
    atOnce: true,
  },
  waiting: {
    usage: ":waiting",
    help: "shows what waits for users who are away",
    run: (session) => [session, [{ type: "ask", question: { type: "waiting" } }]],
    atOnce: true,
  },
  drop: {
    usage: ":drop [user]",
    help: "forgets what waits for a user, or for all",
    run: dropWaiting,
  },
  reach: {
    usage: ":reach",
    help: "asks the registry whether it reaches you, as others must",
    run: (session) => [session, [{ type: "askReach", asked: true }]],
    atOnce: true,
  },
  exit: {
    usage: ":exit",
    help: "unregisters you and ends",
    run: (session) => [session, [{ type: "leave" }]],
  },
  help: {
    usage: ":help",
    help: "shows this; every other line is sent, and ::text sends :text",
    run: (session) => [session, [print({ type: "help" })]],
    atOnce: true,
  },
};

/** Commands of other programs, too unlike ours for a spelling suggestion. */
const FOREIGN = new Map([
  ["q", "exit"],
  ["quit", "exit"],
  ["bye", "exit"],
  ["list", "update"],
  ["ls", "update"],
  ["who", "update"],
  ["users", "update"],
  ["msg", "to"],
]);

/** Commands that select a user: even mistyped, they show that what follows is meant for somebody else. */
const SELECTING = ["user", "reply"];

/** Runs a typed line: a command, or a text to the selected user. */
export function runLine(session: Session, { text, misses = session.misses }: TypedLine): Update {
  const { selected, missed } = session;
  const { word = "again" } = readCommand(text);
  if (misses >= missed || selected === undefined || word !== "again") return run(session, text);
  const refusal = `not sent to ${selected}, because it was typed before the last error; choose with :user <user>`;
  const [next, cmds] = run({ ...session, selected: undefined }, text, refusal);
  return [{ ...next, selected }, cmds];
}

/** @param refusal the error for a text while nobody is selected */
function run(session: Session, line: string, refusal = NOBODY_SELECTED): Update {
  if (line.trim() === "") return [session, []];
  const [, slashed] = /^\/([a-z]+)(?=\s|$)/iu.exec(line) ?? [];
  if (slashed !== undefined && Object.hasOwn(commands, slashed.toLowerCase())) {
    const meant = `:${slashed.toLowerCase()}${line.slice(1 + slashed.length).trimEnd()}`;
    return failed(session, slashed.toLowerCase(), `commands begin with a colon; did you mean ${meant}?`);
  }
  const { word, argument } = readCommand(line);
  if (word === undefined) return send(session, line.replace(/^::/, ":"), refusal);
  const command = commandFor(word);
  if (command && argument.trim() !== "" && !command.usage.includes(" "))
    return failed(session, word, `usage: ${command.usage}, with nothing behind it`);
  if (command) return command.run(session, argument.trim());
  const meant = FOREIGN.get(word) ?? suggest(word, Object.keys(commands));
  const hint = meant ? `did you mean :${meant}?` : "see :help";
  return failed(session, meant, `no such command: :${word}; ${hint} (::${word} sends it as text)`);
}

/** Reports a line that is no valid command; `meant` is the command it resembles. */
function failed(session: Session, meant: string | undefined, sentence: string): Update {
  if (meant !== undefined && SELECTING.includes(meant)) return miss(session, sentence);
  return [session, [fail(sentence)]];
}

/** Whether a line may run while a lookup for `:user` is pending. */
export function mayRunAtOnce(line: string): boolean {
  const { word } = readCommand(line);
  return word !== undefined && commandFor(word)?.atOnce === true;
}

/** The word after the colon and its argument; without a word, the line is a text. */
function readCommand(line: string): { word: string | undefined; argument: string } {
  const [, word, argument = ""] = /^:([a-z]\S*)\s*(.*)$/isu.exec(line) ?? [];
  return { word, argument };
}

/** Own properties only: `:constructor` is no command. */
function commandFor(word: string): Command | undefined {
  return Object.hasOwn(commands, word) ? commands[word] : undefined;
}

function send(session: Session, text: string, refusal: string): Update {
  const to = recipient(session);
  // Sending something else abandons unaddressed texts: a later :again must not surprise the user with them.
  if (to !== undefined) return sendText(forgetUnaddressed(session), to, text);
  const trouble = troubleWith(session, text);
  if (trouble !== undefined) return [session, [fail(trouble)]];
  return [
    keep(session, { to: undefined, text }),
    [fail(`${refusal}; then :again sends "${shortened(text)}"`)],
  ];
}

/** The beginning of a text, enough to recognize it. */
function shortened(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length < text.length || line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
}

function forgetUnaddressed(session: Session): Session {
  const undelivered = session.undelivered.filter((text) => text.to !== undefined);
  return undelivered.length === session.undelivered.length ? session : { ...session, undelivered };
}

/** Why a text cannot be sent at all; undefined if it can. */
function troubleWith({ me }: Session, text: string): string | undefined {
  try {
    encodeMessage({ user: me, text });
    return undefined;
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    return error.message;
  }
}

function recipient({ users, selected }: Session): UserName | undefined {
  return selected !== undefined && users.has(selected) ? selected : undefined;
}

/**
 * `:again`: resends what a user did not get, by default the user of the last text that failed; texts typed while nobody
 * was selected go to the selected user.
 */
function sendAgain(session: Session, user: UserName): Update {
  const { undelivered } = session;
  if (user === "" && undelivered.length === 0) return [session, [fail("there is nothing to send again")]];
  const whose = user === "" ? undelivered.findLast(({ to }) => to !== undefined)?.to : user;
  // A user named with :again also gets unaddressed texts, unless another is selected.
  const selected = recipient(session) ?? (session.users.has(user) ? user : undefined);
  const unaddressed = user === "" || user === selected ? selected : undefined;
  if (whose === undefined && unaddressed === undefined) return [session, [fail(NOBODY_SELECTED)]];
  const again: { to: UserName; text: string }[] = [];
  const rest: Undelivered[] = [];
  for (const one of undelivered) {
    const to = one.to ?? unaddressed;
    if (to === undefined || (one.to !== undefined && one.to !== whose)) rest.push(one);
    else again.push({ to, text: one.text });
  }
  let next: Session = { ...session, undelivered: rest };
  const cmds: Cmd[] = [];
  // Waiting texts are older, so they go first.
  if (user !== "") cmds.push({ type: "ask", question: { type: "again", user, others: again.length } });
  for (const { to, text } of again) {
    const [after, more] = sendText(next, to, text);
    next = after;
    cmds.push(...more);
  }
  return [next, cmds];
}

/** Selects a user, asking the registry first if it is not in the known list. */
function lookUpAndSelect(session: Session, user: UserName): Update {
  if (session.users.has(user)) return select(session, user);
  return [session, [{ type: "fetchList", purpose: { type: "select", user } }]];
}
