/** Where messages come in: the listener, what it takes, and the address under which others reach it. */
import { isLoopback, sameAddress } from "../../core/address.ts";
import { createBoundedQueue } from "../../core/bounded-queue.ts";
import { systemClock } from "../../core/clock.ts";
import { CannotListen } from "../../core/errors.ts";
import { PROTOCOLS } from "../../core/protocol.ts";
import type { Address, Message, Protocol } from "../../core/schemas.ts";
import { localAddressTowards } from "../../core/udp-socket.ts";
import { type Route, routeTo } from "../registry/route.ts";
import { transports } from "../transports/index.ts";
import type { Listener, ListenOptions } from "../transports/types.ts";
import { addressForOthers, chooseListening } from "./listen-address.ts";
import { createRateLimit } from "./rate-limit.ts";

/** How many ports behind the default are tried. */
const PORT_ATTEMPTS = 100;

/** How long senders are asked to wait while we cannot keep up, in milliseconds. */
const FULL_MS = 1000;

/** What others do to us. */
export type Inbound =
  /** @property source the IP address it came from */
  | { type: "message"; message: Message; source: string }
  /** So many messages of a source were refused, because it sends more than so many a second. */
  | { type: "excess"; source: string; count: number; perSecond: number };

export interface EndpointOptions {
  protocol: Protocol;
  /** @default the local address from which the registry is reached */
  host: string | undefined;
  /** @default the protocol's own, or the next free one */
  port: number | undefined;
  /** What is registered instead of the address listened on. */
  publicAddress: Address | undefined;
  /** Messages a second that are taken from one source; 0 for any number. */
  rateLimit: number;
}

export interface Endpoint {
  /** The port listened on. */
  port: number;
  /** The protocol's default port, if it was wanted and somebody else had it. */
  portInUse: number | undefined;
  /** As others reach it. */
  readonly address: Address;
  /** Whether the address changes with this machine's; if not, it was given by hand. */
  follows: boolean;
  /** Why the address is not as it was given. */
  note: string | undefined;
  /**
   * Hands over what has come so far, and from now on what comes, at once.
   * @param isFull whether no more messages should be taken now
   */
  open(deliver: (inbound: Inbound) => void, isFull: () => boolean): void;
  /**
   * Looks for this machine's address, and listens there if it is another.
   * @param thoroughly also looks up the registry's host again
   */
  relocate(thoroughly: boolean): Promise<void>;
  /** Ends listening. */
  close(): Promise<void>;
}

/**
 * Listens. What comes before `open` waits, up to 1 MB of it, and is not taken beyond.
 * @param registryUrl of the registry that `route` leads to
 * @param shared whether that is for other machines too
 * @throws CannotListen
 */
export async function openEndpoint(
  { protocol, host, port, publicAddress, rateLimit }: EndpointOptions,
  { registryUrl, shared, ...found }: { registryUrl: string; route: Route; shared: boolean },
): Promise<Endpoint> {
  let { route } = found;
  const choose = (own: string) =>
    chooseListening(host, { own, route, shared, proxied: publicAddress !== undefined });
  let own = await addressForOthers(route, shared);
  let listening = await choose(own);
  const early = createBoundedQueue<Inbound>();
  let deliver = (inbound: Inbound): void =>
    early.push(inbound, inbound.type === "message" ? Buffer.byteLength(inbound.message.text) : 0);
  let { isFull } = early;
  const limit =
    rateLimit === 0
      ? undefined
      : createRateLimit({
          perSecond: rateLimit,
          clock: systemClock,
          onExcess: (source, count) => deliver({ type: "excess", source, count, perSecond: rateLimit }),
        });
  const advertised = (port: number) => publicAddress ?? { protocol, host: listening.reachable, port };
  const listen = (host: string, port: number | undefined) =>
    listenOn(protocol, port, {
      host,
      onMessage: (message, source) => deliver({ type: "message", message, source }),
      delay: (source) => (isFull() ? FULL_MS : (limit?.delay(source) ?? 0)),
      advertised,
      registryIps: route.registryIps,
      publicHost: publicAddress?.host,
    });
  let listener = await listen(listening.host, port);
  let address = advertised(listener.port);
  const { defaultPort } = PROTOCOLS[protocol];

  /** This machine's address for others, as it is now; undefined if there is no network. */
  async function findOwn(thoroughly: boolean): Promise<string | undefined> {
    try {
      if (thoroughly) route = await routeTo(registryUrl);
      else route = { ...route, local: await localAddressTowards(route.registryIp) };
      return await addressForOthers(route, shared);
    } catch {
      return undefined;
    }
  }

  return {
    port: listener.port,
    portInUse: port === undefined && listener.port !== defaultPort ? defaultPort : undefined,
    get address() {
      return address;
    },
    follows: listening.follows,
    note: listening.note,
    open(next, nextIsFull) {
      [deliver, isFull] = [next, nextIsFull];
      for (let inbound = early.shift(); inbound; inbound = early.shift()) deliver(inbound);
    },
    async relocate(thoroughly) {
      const now = await findOwn(thoroughly);
      if (now === undefined || now === own || (isLoopback(now) && !isLoopback(own))) return;
      const next = await choose(now);
      if (next.host !== listening.host) {
        const former = listener;
        try {
          listener = await listen(next.host, former.port);
        } catch (error) {
          // The address may be too new to be listened on: the next look tries again.
          if (error instanceof CannotListen) return;
          throw error;
        }
        void former.close();
      }
      [own, listening] = [now, next];
      const moved = advertised(listener.port);
      if (!sameAddress(moved, address)) address = moved;
    },
    async close() {
      limit?.close();
      await listener.close();
    },
  };
}

/** Listens on the given port, or else on the protocol's default or the next free port behind it. @throws CannotListen */
async function listenOn(
  protocol: Protocol,
  port: number | undefined,
  options: Omit<ListenOptions, "port">,
): Promise<Listener> {
  const { listen } = transports[protocol];
  if (port !== undefined) return listen({ ...options, port });
  const first = PROTOCOLS[protocol].defaultPort;
  for (let candidate = first; candidate < first + PORT_ATTEMPTS; candidate++) {
    try {
      return await listen({ ...options, port: candidate });
    } catch (error) {
      if (!(error instanceof CannotListen && error.reason === "in-use")) throw error;
    }
  }
  throw new CannotListen("in-use", options.host, first);
}
