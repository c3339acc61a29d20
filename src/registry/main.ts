import { type ArgsDef, defineCommand } from "citty";
import { isLoopback, urlHost } from "../core/address.ts";
import { systemClock } from "../core/clock.ts";
import { checkFlags, runMain, seconds, wholeNumber } from "../core/command.ts";
import { CannotListen } from "../core/errors.ts";
import { REGISTRY_PATHS, REGISTRY_PORT } from "../core/protocol.ts";

/** How long requests under way may take to end after a signal, in milliseconds. */
const GRACE_MS = 2500;

const flags = {
  host: {
    type: "string",
    description: "address to listen on; 0.0.0.0 lets other machines in",
    default: "127.0.0.1",
  },
  port: {
    type: "string",
    description: "port to listen on; 0 picks a free one",
    default: String(REGISTRY_PORT),
  },
  store: {
    type: "string",
    description: "where the users are kept: memory: or sqlite:<path>",
    default: "sqlite:talk.db",
    valueHint: "url",
  },
  "check-interval": {
    type: "string",
    description: "seconds between two checks of a user, ±20 %",
    default: "150",
    valueHint: "seconds",
  },
  "check-window": {
    type: "string",
    description: "seconds that a user may be silent in a check",
    default: "30",
    valueHint: "seconds",
  },
  quiet: { type: "boolean", description: "do not log what happens on stderr" },
} satisfies ArgsDef;

const command = defineCommand({
  meta: { name: "bun run registry", description: "Knows where each user of Talk listens" },
  args: flags,
  async run({ args }) {
    checkFlags(args, flags);
    const port = wholeNumber("port", args.port, 0, 65535);
    const interval = seconds("check-interval", args["check-interval"]);
    const window = seconds("check-window", args["check-window"]);
    // Clients are on our own network: a proxy for the web has no business in between.
    process.env.NO_PROXY = "*";
    // Loaded late, because --help and a wrong flag need none of it.
    const [{ openStore }, { createApp }, { createLog }, { createChecker }, { openProbers }] =
      await Promise.all([
        import("./store.ts"),
        import("./app.ts"),
        import("./log.ts"),
        import("./checker.ts"),
        import("./probes.ts"),
      ]);
    const store = await openStore(args.store);
    const { log, flush } = createLog(args.quiet ? () => {} : (text) => process.stderr.write(text));
    const app = createApp({ store, log });
    try {
      app.listen({ hostname: args.host, port, reusePort: false });
    } catch (error) {
      await store.close();
      throw CannotListen.from(error, args.host, port);
    }

    const url = `http://${urlHost(args.host)}:${app.server?.port}`;
    process.stdout.write(`registry at ${url}, API docs at ${url}${REGISTRY_PATHS.docs}\n`);
    if (isLoopback(args.host))
      process.stdout.write("only this machine can reach it; --host 0.0.0.0 lets others in\n");

    const { proberFor, close: closeProbers } = await openProbers();
    const clock = systemClock;
    const checker = createChecker({ store, proberFor, log, interval, window, clock, random: Math.random });
    checker.start();

    const stop = Promise.withResolvers<void>();
    process.once("SIGINT", stop.resolve);
    process.once("SIGTERM", stop.resolve);
    await stop.promise;
    checker.stop();
    closeProbers();
    await Promise.race([app.server?.stop(), Bun.sleep(GRACE_MS)]);
    await store.close();
    flush();
    process.exit(0);
  },
});

await runMain(command);
