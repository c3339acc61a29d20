/** The client's flags. */
import type { ArgsDef } from "citty";
import { seconds, wholeNumber } from "../core/cli.ts";
import { UsageError } from "../core/errors.ts";
import { isProtocol, MESSAGES_PER_SECOND, PROTOCOLS, REGISTRY_URL } from "../core/protocol.ts";
import type { Protocol } from "../core/schemas.ts";
import type { ListenAndRegisterOptions } from "./join.ts";
import type { Bell } from "./terminal/types.ts";

export const flags = {
  name: {
    type: "string",
    description: "your name (Default: $TALK_NAME, else your login name, with -2, -3, … if that is taken)",
  },
  registry: {
    type: "string",
    description: `the registry to use, as a URL or host[:port] (Default: $TALK_REGISTRY, else ${REGISTRY_URL})`,
    valueHint: "url",
  },
  protocol: {
    type: "string",
    description: "HTTP, WEBSOCKET or UDP: how you receive messages (Default: HTTP)",
  },
  host: {
    type: "string",
    description: "host name or IP to listen on (Default: this machine's address towards the registry)",
  },
  port: {
    type: "string",
    description: `port to listen on; 0 picks a free one (Default: ${ports()}, or the next free one)`,
  },
  "public-url": {
    type: "string",
    description: "how others reach you through a proxy or NAT: http://host[:port], ws://… or udp://…",
    valueHint: "url",
  },
  "poll-interval": {
    type: "string",
    description: "seconds between checks of the registry's list, ±20 %",
    default: "150",
    valueHint: "seconds",
  },
  "rate-limit": {
    type: "string",
    description:
      "messages per second accepted from one address (bursts of twice that); also limits UDP sending; 0 for no limit",
    default: String(MESSAGES_PER_SECOND),
    valueHint: "number",
  },
  plain: {
    type: "boolean",
    description: "in a terminal, only append plain text, for screen readers",
  },
  "no-transcript": {
    type: "boolean",
    description: "store no messages and no history on this machine",
  },
  bell: {
    type: "string",
    description:
      "ring the terminal bell for messages: off, unselected (or while the window has no focus), all",
    default: "unselected",
    valueHint: "when",
  },
  json: {
    type: "boolean",
    description: 'write events as JSON lines, and also read lines like {"to":"bob","text":"hi"}',
  },
  "on-message": {
    type: "string",
    description:
      "run this for each message, with the text on standard input and TALK_USER, TALK_AT, TALK_ME set",
    valueHint: "program",
  },
} satisfies ArgsDef;

export interface Options extends ListenAndRegisterOptions {
  /** Poll interval, in milliseconds. */
  interval: number;
  /** Path of the program to run for each message. */
  program: string | undefined;
  bell: Bell;
}

type Args = Partial<Record<Exclude<keyof typeof flags, "json" | "plain" | "no-transcript">, string>>;

/** Parses the flags. @throws UsageError */
export async function readOptions(args: Args): Promise<Options> {
  // Loaded late: --help and unknown flags do not need it.
  const [{ ownNameOf, registryOf }, { HOST_NAME, isHost }] = await Promise.all([
    import("./flag-values.ts"),
    import("../core/names.ts"),
  ]);

  function protocolOf(text: string): Protocol {
    const name = text.toUpperCase();
    if (isProtocol(name)) return name;
    throw new UsageError("--protocol must be HTTP, WEBSOCKET or UDP");
  }

  async function publicAddressOf(text: string) {
    // Loaded late: it needs the schemas, which take longer to load than everything else here.
    const { parsePublicUrl } = await import("../core/address.ts");
    try {
      return parsePublicUrl(text);
    } catch (error) {
      throw new UsageError(`--public-url is not valid: ${error instanceof Error ? error.message : error}`);
    }
  }

  function programOf(text: string) {
    const path = Bun.which(text);
    if (path) return path;
    throw new UsageError("--on-message must be a program that can be run: a path, or a name in $PATH");
  }

  const { host } = args;
  if (host !== undefined && !isHost(host)) throw new UsageError(`--host must be ${HOST_NAME.rule}`);
  const publicUrl = args["public-url"];
  const publicAddress = publicUrl === undefined ? undefined : await publicAddressOf(publicUrl);
  const protocol = args.protocol === undefined ? undefined : protocolOf(args.protocol);
  if (publicAddress && protocol && protocol !== publicAddress.protocol) {
    throw new UsageError(
      `--public-url says ${publicAddress.protocol}, --protocol says ${protocol}; leave --protocol out`,
    );
  }
  return {
    name: ownNameOf(args.name),
    registry: registryOf(args.registry),
    protocol: protocol ?? publicAddress?.protocol ?? "HTTP",
    host,
    port: args.port === undefined ? undefined : wholeNumber("port", args.port, 0, 65535),
    publicAddress,
    rateLimit: wholeNumber("rate-limit", args["rate-limit"] ?? flags["rate-limit"].default, 0, 1_000_000),
    program: args["on-message"] === undefined ? undefined : programOf(args["on-message"]),
    bell: bellOf(args.bell ?? flags.bell.default),
    interval: seconds("poll-interval", args["poll-interval"] ?? flags["poll-interval"].default),
  };
}

function bellOf(text: string): Bell {
  if (text === "off" || text === "unselected" || text === "all") return text;
  throw new UsageError("--bell must be off, unselected or all");
}

function ports(): string {
  return Object.values(PROTOCOLS)
    .map(({ defaultPort }) => defaultPort)
    .join(", ");
}
