/** Being there: listening, being registered, and leaving again. What is said there is the chat's. */
import { isLoopback, sameAddress } from "../../core/address.ts";
import { createBoundedQueue } from "../../core/bounded-queue.ts";
import { systemClock } from "../../core/clock.ts";
import type { MayContact } from "../../core/denylist.ts";
import { CannotListen, RegistryRefused, TalkError } from "../../core/errors.ts";
import { MAX_NAME_LENGTH, PROTOCOLS } from "../../core/protocol.ts";
import type { Address, Message, Protocol, UserName } from "../../core/schemas.ts";
import { localAddressTowards } from "../../core/udp.ts";
import { listenOn } from "../inbound/endpoint.ts";
import { createRateLimit } from "../inbound/rate-limit.ts";
import { loginName } from "../login-name.ts";
import { statePath } from "../state-directory.ts";
import { connectRegistry, type Registry } from "./api.ts";
import { isPresent } from "./liveness.ts";
import { addressForOthers, chooseListening, contactRuleFor, locate } from "./place.ts";
import { openSecrets, type SecretOf } from "./secrets.ts";

/** How long unregistering may take, in milliseconds: leaving takes at most 3 s in all. */
const UNREGISTER_MS = 2000;

/** How many names are tried when one was not chosen by hand. */
const NAME_ATTEMPTS = 1000;

/** How long senders are asked to wait while we cannot keep up, in milliseconds. */
const CROWDED_MS = 1000;

export interface MemberOptions {
  /** @default the login name, if need be with `-2`, `-3`, … behind it */
  name: UserName | undefined;
  registry: string;
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

/** What others do to us. */
export type Incoming =
  /** @property source the IP address it came from */
  | { type: "message"; message: Message; source: string }
  /** So many messages of a source were refused, because it sends more than so many a second. */
  | { type: "excess"; source: string; count: number; perSecond: number };

export interface Member {
  name: UserName;
  /** As it is registered, or is to be. */
  readonly address: Address;
  /** The port listened on. */
  port: number;
  /** Whether the registry is for other machines too. */
  shared: boolean;
  /** Whether the address was given by hand. */
  byHand: boolean;
  /** Whom messages may go to at all. */
  mayContact: MayContact;
  /** Why the address is not as it was given. */
  note: string | undefined;
  /** Whether the address changes with this machine's. */
  follows: boolean;
  /**
   * Looks for this machine's address, and listens there if it is another; true if the registry is to be told.
   * @param thoroughly also looks up the registry's host again
   */
  relocate(thoroughly: boolean): Promise<boolean>;
  /** Tells the registry of the address; false if it did not take it, or the name is somebody else's by now. */
  move(): Promise<boolean>;
  /** The protocol's default port, if it was wanted and somebody else had it. */
  portInUse: number | undefined;
  registry: Registry;
  rateLimit: number;
  /** Why the name is not ours alone, if it is not. */
  noKey: string | undefined;
  /** Hands over what comes from others, also what has come before this is called; while it is too much, it refuses. */
  receive(reception: { take: (event: Incoming) => void; crowded: () => boolean }): void;
  /** Removes the registration, if it is still ours; false if the registry could not be asked. */
  unregister(): Promise<boolean>;
  /** Ends listening. */
  close(): Promise<void>;
}

/** Listens, and registers the address. @throws CannotListen, RegistryUnreachable, NoRegistry, RegistryRefused, TalkError if the name is taken */
export async function enter({
  name,
  registry: url,
  protocol,
  host,
  port,
  publicAddress,
  rateLimit,
}: MemberOptions): Promise<Member> {
  const { secretOf, noKey } = secretsFor(url);
  const registry = connectRegistry(url, secretOf);
  const { defaultPort } = PROTOCOLS[protocol];
  let place = await locate(registry.url);
  // Whoever reaches it by loopback cannot see whether others reach it too.
  const shared = !isLoopback(place.registryIp) || (await registry.isOnNetwork());
  const mayContact = contactRuleFor(place);
  const choose = (own: string) =>
    chooseListening(host, { own, place, shared, proxied: publicAddress !== undefined });
  let own = await addressForOthers(place, shared);
  let listening = await choose(own);
  const early = createBoundedQueue<Incoming>();
  let take = (event: Incoming): void =>
    early.push(event, event.type === "message" ? event.message.text.length : 0);
  let { crowded } = early;
  const limit =
    rateLimit === 0
      ? undefined
      : createRateLimit({
          perSecond: rateLimit,
          clock: systemClock,
          onExcess: (source, count) => take({ type: "excess", source, count, perSecond: rateLimit }),
        });
  const advertised = (port: number) => publicAddress ?? { protocol, host: listening.reachable, port };
  const listen = (host: string, port: number | undefined) =>
    listenOn(protocol, port, {
      host,
      onMessage: (message, source) => take({ type: "message", message, source }),
      delay: (source) => (crowded() ? CROWDED_MS : (limit?.delay(source) ?? 0)),
      advertised,
      registryIps: place.registryIps,
      publicHost: publicAddress?.host,
    });
  let listener = await listen(listening.host, port);

  /** This machine's address for others, as it is now; undefined if there is no network. */
  async function lookForOwn(thoroughly: boolean): Promise<string | undefined> {
    try {
      if (thoroughly) place = await locate(registry.url);
      else place = { ...place, local: await localAddressTowards(place.registryIp) };
      return await addressForOthers(place, shared);
    } catch {
      return undefined;
    }
  }

  async function relocate(address: Address, thoroughly: boolean): Promise<Address | undefined> {
    const now = await lookForOwn(thoroughly);
    if (now === undefined || now === own || (isLoopback(now) && !isLoopback(own))) return undefined;
    const next = await choose(now);
    if (next.host !== listening.host) {
      const former = listener;
      try {
        listener = await listen(next.host, former.port);
      } catch (error) {
        // The address may be too new to be listened on: the next look tries again.
        if (error instanceof CannotListen) return undefined;
        throw error;
      }
      void former.close();
    }
    [own, listening] = [now, next];
    const moved = advertised(listener.port);
    return sameAddress(moved, address) ? undefined : moved;
  }

  async function close(): Promise<void> {
    limit?.close();
    await listener.close();
  }

  try {
    let address = advertised(listener.port);
    const registered = await register(registry, name, address, mayContact);
    /** Where the registry last had us, which is `address` unless that is new. */
    let known = address;
    return {
      name: registered,
      get address() {
        return address;
      },
      port: listener.port,
      shared,
      byHand: !listening.follows,
      mayContact,
      note: listening.note,
      follows: listening.follows,
      async relocate(thoroughly) {
        address = (await relocate(address, thoroughly)) ?? address;
        return !sameAddress(address, known);
      },
      async move() {
        const to = address;
        const result = await moveTo(registry, registered, known, to);
        if (result !== "not yet") known = to;
        return result === "moved";
      },
      portInUse: port === undefined && listener.port !== defaultPort ? defaultPort : undefined,
      registry,
      rateLimit,
      noKey,
      receive(reception) {
        ({ take, crowded } = reception);
        for (let event = early.shift(); event; event = early.shift()) take(event);
      },
      unregister: () => unregister(registry, registered, [address, known]),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function register(
  registry: Registry,
  name: MemberOptions["name"],
  address: Address,
  mayContact: MayContact,
): Promise<UserName> {
  const wanted = name ?? (await loginName());
  const attempts = name === undefined ? NAME_ATTEMPTS : 1;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const suffix = attempt === 1 ? "" : `-${attempt}`;
    const candidate = wanted.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix;
    const answer = await registry.create(candidate, address);
    if (answer === "created") return candidate;
    const holder = (await registry.list()).get(candidate);
    // Left by a crash, if it leads to the address that we have just bound, or is ours and leads to nobody.
    const left =
      holder &&
      (sameAddress(holder, address) || (answer === "own" && !(await isPresent(holder, mayContact))));
    if (left && (await move(registry, candidate, address))) return candidate;
  }
  throw new TalkError("name-taken", `the name ${wanted} is taken; choose another with --name`);
}

/** False if the name is somebody else's. */
async function move(registry: Registry, name: UserName, address: Address): Promise<boolean> {
  try {
    await registry.put(name, address);
    return true;
  } catch (error) {
    if (error instanceof RegistryRefused && [401, 403].includes(error.status)) return false;
    throw error;
  }
}

/** Without a key one joins all the same: registries need none. */
function secretsFor(url: string): { secretOf?: SecretOf; noKey?: string } {
  try {
    return { secretOf: openSecrets(url, statePath("key", process.env)) };
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    return { noKey: error.message };
  }
}

/** Moves a registration, unless the name has meanwhile become somebody else's, who keeps it. */
async function moveTo(
  registry: Registry,
  name: UserName,
  from: Address,
  to: Address,
): Promise<"moved" | "taken" | "not yet"> {
  try {
    const listed = (await registry.list()).get(name);
    if (!listed) return (await registry.create(name, to)) === "created" ? "moved" : "taken";
    if (sameAddress(listed, to)) return "moved";
    if (!sameAddress(listed, from)) return "taken";
    await registry.put(name, to);
    return "moved";
  } catch (error) {
    if (error instanceof TalkError) return "not yet";
    throw error;
  }
}

async function unregister(
  registry: Registry,
  name: UserName,
  addresses: readonly Address[],
): Promise<boolean> {
  const deadline = AbortSignal.timeout(UNREGISTER_MS);
  try {
    const registered = (await registry.list(deadline)).get(name);
    // Somebody else's by now, or gone: not ours to remove.
    if (registered && addresses.some((each) => sameAddress(registered, each)))
      await registry.remove(name, deadline);
    return true;
  } catch {
    return false;
  }
}
