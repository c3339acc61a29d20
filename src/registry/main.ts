import { type ArgsDef, defineCommand } from "citty";
import { isLoopback, urlHost } from "../core/address.ts";
import { checkFlags, runMain, wholeNumber } from "../core/command.ts";
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
} satisfies ArgsDef;

const command = defineCommand({
  meta: { name: "bun run registry", description: "Knows where each user of Talk listens" },
  args: flags,
  async run({ args }) {
    checkFlags(args, flags);
    const port = wholeNumber("port", args.port, 0, 65535) ?? REGISTRY_PORT;
    // Loaded late, because --help and a wrong flag need none of it.
    const [{ openStore }, { createApp }] = await Promise.all([import("./store.ts"), import("./app.ts")]);
    const store = await openStore(args.store);
    const app = createApp({ store });
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

    const stop = Promise.withResolvers<void>();
    process.once("SIGINT", stop.resolve);
    process.once("SIGTERM", stop.resolve);
    await stop.promise;
    await Promise.race([app.server?.stop(), Bun.sleep(GRACE_MS)]);
    await store.close();
    process.exit(0);
  },
});

await runMain(command);
