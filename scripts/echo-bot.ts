import { join, type Protocol } from "talk/client";
import { stopSignal } from "../src/core/signals.ts";

/** A user who sends every message back, until it is closed. @param registry its base URL */
export async function startEchoBot(protocol: Protocol, registry?: string) {
  const bot = await join({ name: `echo-${protocol.toLowerCase()}`, protocol, registry, port: 0 });
  void echo();
  return bot;

  async function echo() {
    for await (const event of bot) {
      // Two bots would never stop.
      if (event.type !== "message" || event.user.startsWith("echo-")) continue;
      void bot.send(event.user, event.text);
    }
  }
}

// Alone: bun scripts/echo-bot.ts [the registry's URL]
if (import.meta.main) {
  const stop = stopSignal();
  const bot = await startEchoBot("HTTP", process.argv[2]).catch(({ message }) => {
    process.stderr.write(`error: ${message}\n`);
    process.exit(1);
  });
  process.stdout.write(`${bot.name} sends back what you write to it; Ctrl-C ends it\n`);
  await stop;
  await bot.close();
}
