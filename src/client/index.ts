/** A user for a program of its own: what is imported as `talk/client`. */
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

/** Most events that wait for a program that does not ask for them, and most bytes of their texts. */
const MAX_EVENTS = { items: 10_000, bytes: 16 * 1024 * 1024 };

export interface JoinOptions {
  name: UserName;
  /** How messages are taken. @default "HTTP" */
  protocol?: Protocol;
  /** The registry's base URL. @default "http://127.0.0.1:8088" */
  registry?: string;
  /** Host name or IP to listen on. @default the local address from which the registry is reached */
  host?: string;
  /** 0 picks a free one. @default the protocol's own, or the next free one */
  port?: number;
  /** What is registered instead of the address listened on, where a proxy or NAT is in between. */
  publicAddress?: Address;
  /** Messages a second that are taken from one IP address, and twice as many at once; 0 for no limit. @default 500 */
  rateLimit?: number;
  /** Milliseconds between two looks at the registry's list, ±20 %. @default 150,000 */
  pollInterval?: number;
}

/**
 * Someone who has joined. A loop `for await (const event of me)` gets each message and whatever changes among the
 * users, until `close`; of more than 10,000 events that nobody asks for, or 16 MB, the oldest are dropped.
 */
export interface Me extends AsyncIterable<TalkEvent> {
  name: UserName;
  /** As it is registered; it follows this machine's address, unless it was given. */
  readonly address: Address;
  /** Asks the registry who is there. @throws RegistryUnreachable, NoRegistry, RegistryRefused */
  users(): Promise<Users>;
  /**
   * Sends a text, in order behind those before it to the same user, and tells what became of it. Never rejects.
   * @param options with `wait`, a text to a user who is away is kept, in memory, and sent when the user is back at the
   * same host: after 7 days or at `close`, it has failed. Meanwhile an event `waiting` tells of it. @default no
   */
  send(to: UserName, text: string, options?: { wait?: boolean }): Promise<Report>;
  /** Unregisters, lets what is being sent end, and stops listening: in 3 s at most. */
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
  if (name === PROBE_USER) throw new InvalidInput(`The name ${PROBE_USER} is that of the registry's probes.`);
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
