/** A registry, an echo bot per protocol, and you. In a pipe, it talks to each bot once and reports. */
import { defineCommand } from "citty";
import { join, type Me, type Protocol } from "talk/client";
import { createRegistry, type Registry } from "talk/registry";
import { client } from "../src/client/main.ts";
import { isTerminal } from "../src/client/terminal/is-terminal.ts";
import { CannotListen } from "../src/core/cannot-listen.ts";
import { checkFlags, invocation, runMain, writeError } from "../src/core/cli.ts";
import { atMost } from "../src/core/clock.ts";
import { REGISTRY_URL } from "../src/core/protocol.ts";
import { stopSignal } from "../src/core/signals.ts";
import { startEchoBot } from "./echo-bot.ts";

/** How long a bot may take to answer, in milliseconds. */
const ANSWER_MS = 10_000;

const protocols: Protocol[] = ["HTTP", "WEBSOCKET", "UDP"];

export const demo = defineCommand({
  meta: { name: invocation("demo"), description: "A registry, an echo bot on each protocol, and you" },
  async run({ args }) {
    checkFlags(args, {});
    const stop = stopSignal();
    const registry = await createRegistry({ store: "memory:" });
    const url = await listen(registry);
    const bots = await Promise.all(protocols.map((protocol) => startEchoBot(protocol, url)));
    if (await isTerminal("stdin", "stdout")) {
      console.log(
        `The registry is at ${url}, where a browser shows who is here.\n` +
          `Try :user ${bots[0]?.name}, then say hello. To join from another terminal, run\n` +
          `${joining(url)}\n:exit ends the demo.\n`,
      );
      return runMain(client, ["--registry", url, "--port", "0"]);
    }
    const you = await join({ name: "you", registry: url, port: 0 });
    // Everything runs in this process, so nothing is left behind; but the demo did not finish.
    void stop.then(() => process.exit(1));
    process.exitCode = (await talkTo(bots, you)) ? 0 : 1;
    await Promise.all([you, ...bots].map((user) => user.close()));
    await registry.close();
  },
});

/** Listens on the default port, so that others can join without options; on a free one if that is in use. */
async function listen(registry: Registry): Promise<string> {
  try {
    return await registry.listen();
  } catch (error) {
    if (!(error instanceof CannotListen)) throw error;
    return registry.listen({ port: 0 });
  }
}

function joining(url: string): string {
  return url === REGISTRY_URL ? invocation("client") : `${invocation("client")} --registry ${url}`;
}

/** Says hello to each bot, and waits for the echo. */
async function talkTo(bots: Me[], you: Me): Promise<boolean> {
  for (const { name } of bots) {
    console.log(`you to ${name}: hello ${name}`);
    void you.send(name, `hello ${name}`);
    const answer = await atMost(ANSWER_MS, answerFrom(name, you));
    if (answer === undefined) {
      writeError(`error: ${name} did not answer in ${ANSWER_MS / 1000} s`);
      return false;
    }
    console.log(`${name}: ${answer}`);
  }
  return true;
}

async function answerFrom(name: string, you: Me): Promise<string | undefined> {
  for await (const event of you) if (event.type === "message" && event.user === name) return event.text;
  return undefined;
}

if (import.meta.main) await runMain(demo);
