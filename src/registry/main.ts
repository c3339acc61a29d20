import { type ArgsDef, defineCommand } from "citty";
import { isLoopback } from "../core/address.ts";
import { checkFlags, runMain, seconds, wholeNumber } from "../core/command.ts";
import { UsageError } from "../core/errors.ts";
import { REGISTRY_PATHS, REGISTRY_PORT } from "../core/protocol.ts";
import { typed } from "../core/typed.ts";

/** Whether Linux hands the connections that wait at a closed port to another registry on it, or resets them. */
const MIGRATE = "/proc/sys/net/ipv4/tcp_migrate_req";
const MIGRATE_HINT =
  "connections that arrive just when a registry on this port stops may be reset; sysctl -w net.ipv4.tcp_migrate_req=1 keeps them";

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
  "share-port": {
    type: "boolean",
    description: "let registries on the same store listen on this port too, to follow one by another (Linux)",
  },
  "public-host": {
    type: "string",
    description: "name by which a proxy on this machine is asked, such as talk.example",
    valueHint: "name",
  },
  store: {
    type: "string",
    description: "where the users are kept: memory:, sqlite:<path> or redis://[user:password@]host:port/db",
    default: "sqlite:talk.db",
    valueHint: "url",
  },
  durability: {
    type: "string",
    description: "what an answered write on sqlite: survives, the end of the process or of the power",
    default: "process",
    valueHint: "process|power",
  },
  "max-users": {
    type: "string",
    description: "most users at once",
    default: "100000",
    valueHint: "number",
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
  "check-deny": {
    type: "string",
    description: "networks never contacted, such as 10.0.0.0/8,fd00::/8",
    valueHint: "cidr,…",
  },
  open: { type: "boolean", description: "let everybody change every name, also those with an owner" },
  quiet: { type: "boolean", description: "do not log what happens on stderr" },
  release: {
    type: "string",
    description: "take the owner from a name in the store, and end; the registry may be running",
    valueHint: "name",
  },
} satisfies ArgsDef;

export const registry = defineCommand({
  meta: { name: typed("registry"), description: "Knows where each user of Talk listens" },
  args: flags,
  async run({ args }) {
    checkFlags(args, flags);
    const port = wholeNumber("port", args.port, 0, 65535);
    const checkInterval = seconds("check-interval", args["check-interval"]);
    const checkWindow = seconds("check-window", args["check-window"]);
    await checkHost(args.host);
    const checkDeny = await networks("check-deny", args["check-deny"]);
    const maxUsers = wholeNumber("max-users", args["max-users"], 1, 10_000_000);
    const { durability } = args;
    if (durability !== "process" && durability !== "power") {
      throw new UsageError("--durability must be process or power");
    }
    const sharePort = args["share-port"];
    if (sharePort && args.store === "memory:") {
      throw new UsageError("--share-port needs a store that registries can share, such as sqlite:talk.db");
    }
    if (args.release !== undefined) {
      const { release } = await import("./release.ts");
      process.stdout.write(`${await release(args.store, args.release)}\n`);
      return;
    }
    // Loaded late, because --help and a wrong flag need none of it.
    const [{ createRegistry }, { createLog }] = await Promise.all([
      import("./registry.ts"),
      import("./log.ts"),
    ]);
    const { log, flush } = createLog(args.quiet ? () => {} : (text) => process.stderr.write(text));
    const running = await createRegistry({
      store: args.store,
      maxUsers,
      durability,
      log,
      publicHost: args["public-host"],
      open: args.open,
      checkInterval,
      checkWindow,
      checkDeny,
    });
    let url: string;
    try {
      url = await running.listen({ host: args.host, port, sharePort });
    } catch (error) {
      await running.close();
      throw error;
    }
    process.stdout.write(`registry at ${url}, API docs at ${url}${REGISTRY_PATHS.docs}\n`);
    if (isLoopback(args.host))
      process.stdout.write("only this machine can reach it; --host 0.0.0.0 lets others in\n");

    if (sharePort && (await resetsQueued())) process.stdout.write(`${MIGRATE_HINT}\n`);

    const stop = Promise.withResolvers<void>();
    process.once("SIGINT", stop.resolve);
    process.once("SIGTERM", stop.resolve);
    await stop.promise;
    await running.close();
    flush();
    process.exit(0);
  },
});

/** @throws UsageError if it is no host; `127.1` is none, and would hide that it is loopback */
async function checkHost(host: string): Promise<void> {
  const [{ Host, ruleOf }, { Check }] = await Promise.all([
    import("../core/schemas.ts"),
    import("typebox/value"),
  ]);
  if (!Check(Host, host)) throw new UsageError(`--host must be ${ruleOf(Host)}`);
}

async function resetsQueued(): Promise<boolean> {
  const file = Bun.file(MIGRATE);
  return (await file.exists()) && (await file.text()).trim() === "0";
}

/** A flag's networks, parted by commas. @throws UsageError */
async function networks(flag: string, text: string | undefined): Promise<string[]> {
  const list = text?.split(",") ?? [];
  const { createContactRule } = await import("../core/contact.ts");
  try {
    createContactRule(list);
  } catch (error) {
    throw new UsageError(`--${flag}: ${error instanceof Error ? error.message : error}`);
  }
  return list;
}

if (import.meta.main) await runMain(registry);
