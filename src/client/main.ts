import { defineCommand } from "citty";
import { systemClock } from "../core/clock.ts";
import { checkFlags, runMain } from "../core/command.ts";
import { RegistryUnreachable, TalkError } from "../core/errors.ts";
import { flags, readOptions } from "./options.ts";

/** How long joining may go on after a signal, in milliseconds, so that what was registered can be removed. */
const JOIN_GRACE_MS = 400;

/** How long the last lines may take to be read by whoever reads our output, in milliseconds. */
const FLUSH_MS = 300;

const command = defineCommand({
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
    const [{ join }, { createChat }, { startPolling }, { openScreen }] = await Promise.all([
      import("./join.ts"),
      import("./chat.ts"),
      import("./poll.ts"),
      import("./terminal/screen.ts"),
    ]);

    // A message may come as soon as we listen; it waits until there is a chat to show it in.
    const started = Promise.withResolvers<ReturnType<typeof createChat>>();
    const joining = join({
      ...options,
      onMessage: (message) =>
        void started.promise.then((chat) => chat.dispatch({ type: "message", message })),
    }).catch(adviseOnRegistry);
    const member = await Promise.race([joining, stop.promise.then(() => Bun.sleep(JOIN_GRACE_MS))]);
    if (!member) process.exit(0);

    const screen = await openScreen();
    const chat = createChat({
      me: member.name,
      address: member.address,
      registry: member.registry,
      onOutput: screen.show,
      onChange: screen.follow,
    });
    const { port, portInUse } = member;
    await Promise.race([chat.dispatch({ type: "started", port, portInUse }), stop.promise]);
    started.resolve(chat);
    const stopPolling = startPolling({ ask: chat.poll, interval, clock: systemClock, random: Math.random });

    async function takeLines() {
      for await (const text of screen.lines()) await chat.dispatch({ type: "line", text });
    }
    await Promise.race([takeLines(), chat.left, screen.hungUp, stop.promise]);

    stopPolling();
    const [unregistered] = await Promise.all([member.unregister(), chat.close()]);
    if (!unregistered) await chat.dispatch({ type: "stillRegistered" });
    await member.close();
    await Promise.race([screen.close(), Bun.sleep(FLUSH_MS)]);
    process.exit(0);
  },
});

function adviseOnRegistry(error: unknown): never {
  if (!(error instanceof RegistryUnreachable)) throw error;
  throw new TalkError(error.code, `${error.message}; start one with: bun run registry`);
}

await runMain(command);
