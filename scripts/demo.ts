/** A registry, one echo bot per protocol, and you. Piped, it says one thing to each bot and reports. */
import { join } from "node:path";
import { readLines } from "../src/core/lines.ts";
import type { Protocol } from "../src/core/schemas.ts";
import { startEchoBot } from "./echo-bot.ts";

/** How long a bot may take to answer, in milliseconds. */
const ANSWER_MS = 10_000;

const source = join(import.meta.dir, "../src");
const protocols: Protocol[] = ["HTTP", "WEBSOCKET", "UDP"];

const registry = Bun.spawn(
  [process.execPath, `${source}/registry/main.ts`, "--port", "0", "--store", "memory:"],
  {
    stdout: "pipe",
    stderr: "inherit",
  },
);
// However the demo ends, no registry is left behind.
process.on("exit", () => registry.kill());
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

const { value: line } = await readLines(registry.stdout).next();
const url = /http:\/\/[^ ,]+/.exec(line ?? "")?.[0];
if (url === undefined) throw new Error("the registry did not start");
const bots = await Promise.all(protocols.map((protocol) => startEchoBot(protocol, url)));
const you = [process.execPath, `${source}/client/main.ts`, "--registry", url, "--port", "0"];

const interactive = process.stdin.isTTY && process.stdout.isTTY;
process.exitCode = await (interactive ? letThemChat() : talkToEachBot());
await Promise.all(bots.map((bot) => bot.stop()));
process.exit();

async function letThemChat(): Promise<number> {
  process.stdout.write(
    `A registry runs at ${url}. Try :user ${bots[0]?.name}, then say hello; :exit ends it all.\n`,
  );
  return Bun.spawn(you, { stdio: ["inherit", "inherit", "inherit"] }).exited;
}

async function talkToEachBot(): Promise<number> {
  const client = Bun.spawn(you, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const output = readLines(client.stdout);
  const timer = setTimeout(() => client.kill(), ANSWER_MS);
  for (const { name } of bots) {
    type(`:user ${name}`);
    type(`hello ${name}`);
    if (!(await showUntil(`${name}: hello ${name}`))) {
      process.stderr.write(`error: ${name} did not answer in ${ANSWER_MS / 1000} s\n`);
      return 1;
    }
  }
  clearTimeout(timer);
  type(":exit");
  return client.exited;

  function type(line: string) {
    process.stdout.write(`> ${line}\n`);
    client.stdin.write(`${line}\n`);
    client.stdin.flush();
  }

  async function showUntil(wanted: string): Promise<boolean> {
    for (let next = await output.next(); !next.done; next = await output.next()) {
      process.stdout.write(`${next.value}\n`);
      if (next.value === wanted) return true;
    }
    return false;
  }
}
