/** The registry's flags, and the options they make. */
import type { ArgsDef, ParsedArgs } from "citty";
import { seconds, wholeNumber } from "../core/cli.ts";
import { UsageError } from "../core/errors.ts";
import { HOST_NAME, isHost } from "../core/names.ts";
import { REGISTRY_PORT } from "../core/protocol.ts";
import type { RegistryOptions } from "./index.ts";
import { MAX_USERS } from "./stores/types.ts";

export const flags = {
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
    description: "allow several registries on this port, to replace one without a gap (SO_REUSEPORT, Linux)",
  },
  "public-host": {
    type: "string",
    description: "host name of a proxy on this machine, such as talk.example",
    valueHint: "name",
  },
  store: {
    type: "string",
    description: "where to keep the users: memory:, sqlite:<path> or redis://[user:password@]host:port/db",
    default: "sqlite:talk.db",
    valueHint: "url",
  },
  durability: {
    type: "string",
    description: "what SQLite writes survive: a process crash or a power failure",
    default: "process",
    valueHint: "process|power",
  },
  "max-users": {
    type: "string",
    description: "most registered users",
    default: String(MAX_USERS),
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
    description: "seconds a user has to answer a check",
    default: "30",
    valueHint: "seconds",
  },
  "check-deny": {
    type: "string",
    description: "networks never to contact, such as 10.0.0.0/8,fd00::/8",
    valueHint: "cidr,…",
  },
  open: { type: "boolean", description: "let anybody change any name, even one with an owner" },
  quiet: { type: "boolean", description: "do not log events to stderr" },
  release: {
    type: "string",
    description: "release a name from its owner, and exit; the registry may be running",
    valueHint: "name",
  },
} satisfies ArgsDef;

export interface RegistryCommandOptions extends RegistryOptions {
  /** Where to listen. */
  host: string;
  port: number;
  sharePort: boolean | undefined;
}

/** The options from the flags. @throws UsageError */
export async function readOptions(args: ParsedArgs<typeof flags>): Promise<RegistryCommandOptions> {
  const { host, store, open } = args;
  // `127.1` is no valid host, and would hide that it is loopback.
  if (!isHost(host)) throw new UsageError(`--host must be ${HOST_NAME.rule}`);
  const sharePort = args["share-port"];
  if (sharePort && store === "memory:") {
    throw new UsageError("--share-port needs a store that registries can share, such as sqlite:talk.db");
  }
  return {
    host,
    port: wholeNumber("port", args.port, 0, 65535),
    sharePort,
    publicHost: args["public-host"],
    store,
    durability: durabilityOf(args.durability),
    maxUsers: wholeNumber("max-users", args["max-users"], 1, 10_000_000),
    checkInterval: seconds("check-interval", args["check-interval"]),
    checkWindow: seconds("check-window", args["check-window"]),
    checkDeny: await networksOf(args["check-deny"]),
    open,
  };
}

function durabilityOf(text: string): "process" | "power" {
  if (text === "process" || text === "power") return text;
  throw new UsageError("--durability must be process or power");
}

/** Comma-separated networks. */
async function networksOf(text: string | undefined): Promise<string[]> {
  if (text === undefined) return [];
  const networks = text.split(",");
  // Imported lazily: --help needs none of it.
  const { createContactRule } = await import("../core/denylist.ts");
  try {
    createContactRule(networks);
  } catch (error) {
    throw new UsageError(`--check-deny: ${error instanceof Error ? error.message : error}`);
  }
  return networks;
}
