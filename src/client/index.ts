/** The client library, imported as `talk/client`. */
import { InvalidInput } from "../core/errors.ts";
import { MESSAGES_PER_SECOND, PROBE_USER, REGISTRY_URL } from "../core/protocol.ts";
import { type Address, type Protocol, parse, Registration, type UserName } from "../core/schemas.ts";
import { createQueue } from "./event-queue.ts";
import { listenAndRegister } from "./join.ts";
import { registryId } from "./registry/secrets.ts";
import type { Users } from "./registry/types.ts";
import { startRuntime } from "./runtime.ts";
import { type TalkEvent, toEvent } from "./session/program-events.ts";
import { type Report, reportOf } from "./session/report.ts";
import { keptInMemory } from "./storage/index.ts";

export type { Protocol, Report, TalkEvent };

/** Most unread events, and bytes of their texts. */
const MAX_EVENTS = { items: 10_000, bytes: 16 * 1024 * 1024 };

export interface JoinOptions {
  name: UserName;
  /** How you receive messages. @default "HTTP" */
  protocol?: Protocol;
  /** The registry's base URL. @default "http://127.0.0.1:8088" */
  registry?: string;
  /** Host name or IP to listen on. @default the local address from which the registry is reached */
  host?: string;
  /** 0 picks a free one. @default the protocol's default, or the next free one */
  port?: number;
  /** Registered instead of the address listened on, for use behind a proxy or NAT. */
  publicAddress?: Address;
  /** Messages accepted per second from one IP address, with bursts of twice as many; 0 for no limit. @default 500 */
  rateLimit?: number;
  /** Milliseconds between checks of the registry's list, ±20 %. @default 150,000 */
  pollInterval?: number;
}

/**
 * A user who has joined. `for await (const event of me)` yields messages and changes of the user list until `close`;
 * beyond 10,000 unread events, or 16 MB, the oldest are dropped.
 */
export interface Me extends AsyncIterable<TalkEvent> {
  name: UserName;
  /** The registered address; it follows this machine's, unless you gave one. */
  readonly address: Address;
  /** Asks the registry for the list. @throws RegistryUnreachable, NoRegistry, RegistryRefused */
  users(): Promise<Users>;
  /**
   * Sends a text, in order after earlier ones to the same user; resolves to its outcome. Never rejects.
   * @param options with `wait`, keeps a text to an absent user in memory and sends it once the user is back at the same
   * host; it fails after 7 days or at `close`. Meanwhile, a `waiting` event reports it. @default no
   */
  send(to: UserName, text: string, options?: { wait?: boolean }): Promise<Report>;
  /** Unregisters, finishes sending, and stops listening, within 3 s. */
  close(): Promise<void>;
}

/**
 * Listens, registers, and stays registered until `close`.
 * @throws InvalidInput, CannotListen, RegistryUnreachable, NoRegistry, RegistryRefused, TalkError if the name is taken
 */
export async function join({
  name,
  protocol = "HTTP",
  registry = REGISTRY_URL,
  host,
  port,
  publicAddress,
  rateLimit = MESSAGES_PER_SECOND,
  pollInterval = 150_000,
}: JoinOptions): Promise<Me> {
  const wanted = { protocol, host: host ?? "localhost", port: port || undefined };
  parse(Registration, { user: name, address: publicAddress ?? wanted });
  if (name === PROBE_USER)
    throw new InvalidInput(`The name ${PROBE_USER} is reserved for the registry's probes.`);
  if (!URL.canParse(registry)) throw new InvalidInput("The registry must be a URL.");
  const joined = await listenAndRegister({
    name,
    registry,
    protocol,
    host,
    port,
    publicAddress,
    rateLimit,
  });
  const events = createQueue<TalkEvent>(MAX_EVENTS, (event) =>
    "text" in event ? Buffer.byteLength(event.text) : 0,
  );
  const runtime = startRuntime(joined, {
    interval: pollInterval,
    kept: keptInMemory(registryId(joined.registry.url), joined.registration.name),
    onOutput(output) {
      const event = toEvent(output);
      if (event) events.push(event);
    },
    onChange() {},
  });
  let closing: Promise<void> | undefined;
  await runtime.started;

  return {
    name: joined.registration.name,
    get address() {
      return joined.endpoint.address;
    },
    users: runtime.users,
    send: async (to, text, options) => reportOf(await runtime.send(to, text, options)),
    close: () => (closing ??= runtime.leave().then(events.end)),
    [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
  };
}
