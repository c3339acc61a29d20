/** Being there: listening, being registered, and leaving again. What is said there is the chat's. */
import { isIPv6 } from "node:net";
import { hostOf, isUnspecified, resolveHost, sameAddress } from "../core/address.ts";
import { systemClock } from "../core/clock.ts";
import { RegistryRefused, RegistryUnreachable, TalkError } from "../core/errors.ts";
import { MAX_NAME_LENGTH, PROTOCOLS } from "../core/protocol.ts";
import type { Address, Message, Protocol, UserName } from "../core/schemas.ts";
import { localAddressTowards } from "../core/udp.ts";
import { createHold } from "./hold.ts";
import { listenOn } from "./listen.ts";
import { loginName } from "./login-name.ts";
import { isPresent } from "./presence.ts";
import { createRateLimit } from "./rate-limit.ts";
import { connectRegistry, type Registry } from "./registry.ts";
import { openSecrets, type SecretOf } from "./secrets.ts";
import { statePath } from "./state.ts";
import { unreachable } from "./transports/unreachable.ts";

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
  /** As it is registered. */
  address: Address;
  /** The port listened on. */
  port: number;
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
  const { local, registryIps } = await locate(registry.url);
  const everywhere = host !== undefined && isUnspecified(host);
  const reachable = everywhere ? local : (host ?? local);
  const early = createHold<Incoming>();
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
  const advertised = (port: number) => publicAddress ?? { protocol, host: reachable, port };

  const listener = await listenOn(protocol, port, {
    // 0.0.0.0 takes no IPv6; where that leads to the registry, :: takes both.
    host: everywhere && isIPv6(local) ? "::" : (host ?? local),
    onMessage: (message, source) => take({ type: "message", message, source }),
    delay: (source) => (crowded() ? CROWDED_MS : (limit?.delay(source) ?? 0)),
    advertised,
    registryIps,
    publicHost: publicAddress?.host,
  });
  async function close(): Promise<void> {
    limit?.close();
    await listener.close();
  }

  try {
    const address = advertised(listener.port);
    const registered = await register(registry, name, address);
    return {
      name: registered,
      address,
      port: listener.port,
      portInUse: port === undefined && listener.port !== defaultPort ? defaultPort : undefined,
      registry,
      rateLimit,
      noKey,
      receive(reception) {
        ({ take, crowded } = reception);
        for (let event = early.shift(); event; event = early.shift()) take(event);
      },
      unregister: () => unregister(registry, registered, address),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The registry's IP addresses, and the local one from which they are reached. */
async function locate(url: string): Promise<{ local: string; registryIps: string[] }> {
  const host = hostOf(url);
  try {
    const registryIps = await resolveHost(host);
    return { local: await localAddressTowards(registryIps[0] ?? host), registryIps };
  } catch (error) {
    throw new RegistryUnreachable(url, unreachable(error) ?? "no way to its host");
  }
}

async function register(
  registry: Registry,
  name: MemberOptions["name"],
  address: Address,
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
    const left = holder && (sameAddress(holder, address) || (answer === "own" && !(await isPresent(holder))));
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

async function unregister(registry: Registry, name: UserName, address: Address): Promise<boolean> {
  const deadline = AbortSignal.timeout(UNREGISTER_MS);
  try {
    const registered = (await registry.list(deadline)).get(name);
    // Somebody else's by now, or gone: not ours to remove.
    if (registered && sameAddress(registered, address)) await registry.remove(name, deadline);
    return true;
  } catch {
    return false;
  }
}
