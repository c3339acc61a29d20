/** Incoming messages: the listener, its limits, and the address at which others reach it. */
import { isLoopback, sameAddress } from "../../core/address.ts";
import { CannotListen } from "../../core/cannot-listen.ts";
import { systemClock } from "../../core/clock.ts";
import { PROTOCOLS } from "../../core/protocol.ts";
import type { Address, Message, Protocol } from "../../core/schemas.ts";
import { localAddressTowards } from "../../core/udp-socket.ts";
import { createBoundedQueue } from "../bounded-queue.ts";
import { type Route, routeTo } from "../registry/route.ts";
import { transports } from "../transports/index.ts";
import type { Listener, ListenOptions } from "../transports/types.ts";
import { addressForOthers, chooseListening } from "./listen-address.ts";
import { createRateLimit } from "./rate-limit.ts";

/** How many ports to try, from the default on. */
const PORT_ATTEMPTS = 100;

/** How long senders are told to wait while we cannot keep up, in milliseconds. */
const FULL_MS = 1000;

/** What comes in. */
export type Inbound =
  /** @property source the IP address it came from */
  | { type: "message"; message: Message; source: string }
  /** `count` messages from a source were refused, because it exceeds `perSecond`. */
  | { type: "excess"; source: string; count: number; perSecond: number };

export interface EndpointOptions {
  protocol: Protocol;
  /** @default the local address from which the registry is reached */
  host: string | undefined;
  /** @default the protocol's default, or the next free one */
  port: number | undefined;
  /** Registered instead of the address listened on. */
  publicAddress: Address | undefined;
  /** Rate limit per source, in messages per second; 0 for none. */
  rateLimit: number;
}

export interface Endpoint {
  /** The port listened on. */
  port: number;
  /** The protocol's default port, if we wanted it and it was in use. */
  portInUse: number | undefined;
  /** The address at which others reach it. */
  readonly address: Address;
  /** Whether the address follows this machine's; if not, the user gave it. */
  follows: boolean;
  /** Why the address is not the one the user gave. */
  note: string | undefined;
  /**
   * Delivers what has come so far, and from now on whatever comes, at once.
   * @param isFull whether senders should wait now
   */
  open(deliver: (inbound: Inbound) => void, isFull: () => boolean): void;
  /**
   * Looks up this machine's address, and listens there if it has changed.
   * @param thoroughly also resolves the registry's host again
   */
  relocate(thoroughly: boolean): Promise<void>;
  /** Ends listening. */
  close(): Promise<void>;
}

/**
 * Starts listening. Until `open`, queues up to 1 MB of messages, and makes senders wait beyond that.
 * @param registryUrl the registry that `route` leads to
 * @param shared whether other machines use that registry too
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

  /** This machine's current address for others; undefined if there is no network. */
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
          // The address may be too new to bind: the next look tries again.
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

/** Listens on the given port, or else on the protocol's default or the next free one. @throws CannotListen */
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
