/** The `talk` command: one table of commands, run by name. */
import manifest from "../package.json" with { type: "json" };
import { invokedAsTalk, runMain, writeError } from "./core/cli.ts";
import { visible } from "./core/sanitize.ts";
import { suggest } from "./core/suggest.ts";

export interface TalkCommand {
  help: string;
  /** Imports its module only now: each command needs much that the others do not. */
  run(argv: string[]): Promise<void>;
}

const commands: Record<string, TalkCommand> = {
  registry: {
    help: "knows where each user listens",
    run: async (argv) => runMain((await import("./registry/main.ts")).registry, argv),
  },
  client: {
    help: "chats with the users of a registry",
    run: async (argv) => runMain((await import("./client/main.ts")).client, argv),
  },
  send: {
    help: "sends one text from a script",
    run: async (argv) => runMain((await import("./client/send.ts")).send, argv),
  },
  users: {
    help: "shows who is here, and who comes and goes",
    run: async (argv) => runMain((await import("./client/users.ts")).users, argv),
  },
};

/**
 * Runs `talk <command>`; a wrong command is a line on stderr and exit code 2.
 * @param argv the command and its own arguments
 * @param more commands beside those of `src`
 */
export async function talk(argv: string[], more: Record<string, TalkCommand> = {}): Promise<void> {
  invokedAsTalk();
  // By console.log: to load process.stdout takes longer than all the rest of a help.
  const table = { ...commands, ...more };
  const [name = "--help", ...rest] = argv;
  const command = Object.hasOwn(table, name) ? table[name] : undefined;
  if (command) return command.run(rest);
  if (name === "help" && rest[1] !== undefined) return complain(`unexpected "${rest[1]}"; see talk help`);
  if (name === "help" && rest[0] !== undefined && rest[0] !== "help") return talk([rest[0], "--help"], more);
  if (["--version", "-v"].includes(name)) console.log(`talk ${manifest.version}`);
  else if (["--help", "-h", "help"].includes(name)) console.log(helpOf(table));
  else refuse(name, table);
}

function helpOf(table: Record<string, TalkCommand>): string {
  const lines = Object.entries(table).map(([name, { help }]) => `  ${name.padEnd(13)}${help}`);
  return `${manifest.description}\n\nUSAGE talk <command> [OPTIONS]\n\nCOMMANDS\n\n${lines.join("\n")}\n
Run \`talk help <command>\` for details, \`talk --version\` for the version.`;
}

function refuse(name: string, table: Record<string, TalkCommand>): void {
  const isFlag = name.startsWith("-");
  const meant = suggest(name, isFlag ? ["--help", "--version"] : Object.keys(table));
  const hint = meant ? `did you mean ${meant}?` : "see talk --help";
  complain(`${isFlag ? "unknown option" : "no such command:"} ${name}; ${hint}`);
}

function complain(sentence: string): void {
  writeError(`error: ${visible(sentence)}`);
  process.exitCode = 2;
}
