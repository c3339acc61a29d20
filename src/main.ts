/** All commands in one: what the one binary runs. */
import manifest from "../package.json" with { type: "json" };
import { runMain } from "./core/command.ts";
import { suggest } from "./core/suggest.ts";
import { visible } from "./core/visible.ts";

interface Command {
  help: string;
  /** Loaded late, because each needs much that the others do not. */
  run(argv: string[]): Promise<void>;
}

const commands: Record<string, Command> = {
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
  demo: {
    help: "a registry, an echo bot on each protocol, and you",
    run: async (argv) => runMain((await import("../scripts/demo.ts")).demo, argv),
  },
};

// Nobody need read the help to its end.
process.stdout.on("error", () => {});

const [name = "--help", ...argv] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (command) await command.run(argv);
else if (["--version", "-v"].includes(name)) process.stdout.write(`talk ${manifest.version}\n`);
else if (["--help", "-h"].includes(name)) process.stdout.write(help());
else refuse(name);

function help(): string {
  const lines = Object.entries(commands).map(([name, { help }]) => `  ${name.padEnd(10)}${help}`);
  return `${manifest.description}\n\nUSAGE talk <command> [OPTIONS]\n\nCOMMANDS\n\n${lines.join("\n")}\n
talk <command> --help tells more of a command, talk --version the version.\n`;
}

function refuse(name: string): void {
  const meant = suggest(name, Object.keys(commands));
  const hint = meant ? `did you mean ${meant}?` : "see talk --help";
  process.stderr.write(`error: no such command: ${visible(name)}; ${hint}\n`);
  process.exitCode = 2;
}
