import { join, type Protocol } from "talk/client";
import { stopSignal } from "../src/core/signals.ts";

/** Starts a user who sends every message back, until closed. @param registry the registry's base URL */
export async function startEchoBot(protocol: Protocol, registry?: string) {
  const bot = await join({ name: `echo-${protocol.toLowerCase()}`, protocol, registry, port: 0 });
  void echo();
  return bot;

  async function echo() {
    for await (const event of bot) {
      // Two bots would answer each other forever.
      if (event.type !== "message" || event.user.startsWith("echo-")) continue;
      void bot.send(event.user, event.text);
    }
  }
}

// Standalone: bun scripts/echo-bot.ts [registry URL]
if (import.meta.main) {
  const stop = stopSignal();
  const bot = await startEchoBot("HTTP", process.argv[2]).catch(({ message }) => {
    process.stderr.write(`error: ${message}\n`);
    process.exit(1);
  });
  process.stdout.write(`${bot.name} sends your messages back; Ctrl-C stops it\n`);
  await stop;
  await bot.close();
}
