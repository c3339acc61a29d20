/** What a line means. The table holds every command, and :help is made from it. */
import { TalkError } from "../core/errors.ts";
import { encodeMessage } from "../core/message.ts";
import { suggest } from "../core/suggest.ts";
import { fail, print, type Session, type Step, select } from "./session.ts";

interface Command {
  usage: string;
  help: string;
  run: (session: Session, argument: string) => Step;
}

export const commands: Record<string, Command> = {
  update: {
    usage: ":update",
    help: "asks the registry who is there, and lists them",
    run: (session) => [session, [{ type: "fetchList", purpose: { type: "show" } }]],
  },
  user: {
    usage: ":user <user>",
    help: "selects who gets your messages",
    run(session, user) {
      if (user === "") return [session, [fail("whom? type :user <user>")]];
      if (!session.users.has(user))
        return [session, [{ type: "fetchList", purpose: { type: "select", user } }]];
      return select(session, user);
    },
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
  },
};

export function runLine(session: Session, line: string): Step {
  if (line.trim() === "") return [session, []];
  const [, word, argument = ""] = /^:([a-z]\S*)\s*(.*)$/isu.exec(line) ?? [];
  if (word === undefined) return send(session, line.replace(/^::/, ":"));
  // A table is no place for `constructor`.
  const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
  if (command) return command.run(session, argument.trim());
  const meant = suggest(word, Object.keys(commands));
  const hint = meant ? `did you mean :${meant}?` : "see :help";
  return [session, [fail(`no such command: :${word}; ${hint} (::${word} sends it as text)`)]];
}

function send(session: Session, text: string): Step {
  const { me, users, selected, sent: id } = session;
  const address = selected === undefined ? undefined : users.get(selected);
  if (selected === undefined || !address) {
    return [session, [fail("nobody is selected; choose with :user <user>, :update lists them all")]];
  }
  try {
    const body = encodeMessage({ user: me, text });
    return [
      { ...session, sent: id + 1 },
      [
        print({ type: "sending", id, to: selected, text }),
        { type: "send", id, to: selected, address, text, body },
      ],
    ];
  } catch (error) {
    if (error instanceof TalkError) return [session, [fail(`not sent: ${error.message}`)]];
    throw error;
  }
}
