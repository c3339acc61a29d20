import { defineCommand } from "citty";
import { checkFlags, runMain } from "../core/command.ts";
import { RegistryUnreachable, TalkError } from "../core/errors.ts";
import { flags, readOptions } from "./options.ts";

/** How long joining may go on after a signal, in milliseconds, so that what was registered can be removed. */
const JOIN_GRACE_MS = 400;

/** How long the last lines may take to be read by whoever reads our output, in milliseconds. */
const FLUSH_MS = 300;

export const client = defineCommand({
  meta: { name: "bun run client", description: "Chats with the users of a Talk registry" },
  args: flags,
  async run({ args }) {
    checkFlags(args, flags);
    const { interval, ...options } = await readOptions(args);
    // Peers are on our own network: a proxy for the web has no business in between.
    process.env.NO_PROXY = "*";
    const stop = Promise.withResolvers<void>();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => stop.resolve());

    // Loaded late, because --help and a wrong flag need none of it.
    const [{ enter }, { attend }, { openScreen }] = await Promise.all([
      import("./member.ts"),
      import("./attend.ts"),
      import("./terminal/screen.ts"),
    ]);

    const entering = enter(options).catch(adviseOnRegistry);
    const member = await Promise.race([entering, stop.promise.then(() => Bun.sleep(JOIN_GRACE_MS))]);
    if (!member) process.exit(0);

    const screen = await openScreen();
    const { chat, started, leave } = attend(member, {
      interval,
      onOutput: screen.show,
      onChange: screen.follow,
    });
    await Promise.race([started, stop.promise]);

    async function takeLines() {
      for await (const text of screen.lines()) await chat.dispatch({ type: "line", text });
    }
    await Promise.race([takeLines(), chat.left, screen.hungUp, stop.promise]);

    await leave();
    await Promise.race([screen.close(), Bun.sleep(FLUSH_MS)]);
    process.exit(0);
  },
});

function adviseOnRegistry(error: unknown): never {
  if (!(error instanceof RegistryUnreachable)) throw error;
  throw new TalkError(error.code, `${error.message}; start one with: bun run registry`);
}

if (import.meta.main) await runMain(client);
