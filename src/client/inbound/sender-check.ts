/** Whether a message came from where its sender is registered; its name alone anybody can write. */
import { networkInterfaces } from "node:os";
import { canonicalHost, isLoopback, resolveHost } from "../../core/address.ts";
import type { Clock } from "../../core/clock.ts";
import { isIPv4 } from "../../core/names.ts";
import type { UserName } from "../../core/schemas.ts";
import { createTokenBucket } from "../../core/token-bucket.ts";
import type { Users } from "../registry/types.ts";

/** How many lists are asked for at once, and then how many a second, however many strangers write. */
const LISTS = { burst: 5, perSecond: 0.2 };

/** How long it is believed what a name server said, and which addresses this machine has, in milliseconds. */
const BELIEVED_MS = 60_000;

/** Most host names that are looked up and remembered; users beyond cannot be verified. */
const MAX_HOSTS = 1000;

/** Most lookups at once: they share a few threads of the process with those for sending. */
const MAX_LOOKUPS = 2;

export interface SenderCheck {
  /** Takes note of the list, and looks up its host names. */
  learn(users: Users): void;
  /**
   * Why a message may not be from whom it says, in a sentence; undefined if it fits. Addresses are compared without their
   * ports: a message leaves from any.
   * @param source the IP address it came from
   */
  doubt(user: UserName, source: string): string | undefined;
}

export interface SenderCheckOptions {
  /** Asks for another list, because the known one may be old. Never rejects. */
  refresh: () => Promise<unknown>;
  clock: Clock;
  /** The IP addresses of a host name. */
  resolve?: (host: string) => Promise<string[]>;
}

/** Gives verdicts at once: what is not known by then is looked up for the next message. */
export function createSenderCheck({
  refresh,
  clock,
  resolve = resolveHost,
}: SenderCheckOptions): SenderCheck {
  let users: Users = new Map();
  const hosts = new Map<string, { ips: readonly string[]; until: number }>();
  const pending = new Set<string>();
  const queue: string[] = [];
  let workers = 0;
  /** Users for whom the known list was doubted already. */
  const asked = new Set<UserName>();
  const bucket = createTokenBucket({ ...LISTS, now: clock.now });
  let own = { ips: new Set<string>(), until: Number.NEGATIVE_INFINITY };

  function isOwn(ip: string): boolean {
    if (isLoopback(ip)) return true;
    if (clock.now() >= own.until) {
      const interfaces = Object.values(networkInterfaces()).flat();
      const ips = new Set(interfaces.map((each) => canonicalHost(each?.address ?? "")));
      own = { ips, until: clock.now() + BELIEVED_MS };
    }
    return own.ips.has(ip);
  }

  /** The IP addresses of a host as far as they are known. */
  function addressesOf(host: string): readonly string[] | undefined {
    if (isAddress(host)) return [canonicalHost(host)];
    const known = hosts.get(host);
    if (!known || clock.now() >= known.until) lookUp(host);
    return known?.ips;
  }

  function lookUp(host: string): void {
    if (pending.has(host) || pending.size >= MAX_HOSTS) return;
    pending.add(host);
    queue.push(host);
    if (workers < MAX_LOOKUPS) void work();
  }

  async function work(): Promise<void> {
    workers++;
    for (let host = queue.shift(); host !== undefined; host = queue.shift()) {
      const ips = await resolve(host).catch(() => []);
      pending.delete(host);
      const [oldest] = hosts.keys();
      if (hosts.size >= MAX_HOSTS && oldest !== undefined) hosts.delete(oldest);
      hosts.set(host, { ips, until: clock.now() + BELIEVED_MS });
    }
    workers--;
  }

  function judge(user: UserName, source: string): string | undefined {
    const listed = users.get(user);
    // A name that nobody has registered stands for nobody: scripts send under theirs without being users.
    if (!listed) return undefined;
    const ips = addressesOf(listed.host);
    if (!ips) return `${user}? wrote from ${source}, and ${user}'s address could not be verified`;
    if (ips.includes(source) || (isOwn(source) && ips.some(isOwn))) return undefined;
    return `${user}? wrote from ${source}, but ${user} is registered at ${listed.host}`;
  }

  return {
    learn(next) {
      for (const [user, { host }] of next) if (users.get(user)?.host !== host) addressesOf(host);
      users = next;
      asked.clear();
    },
    doubt(user, from) {
      const source = canonicalHost(from);
      const doubt = judge(user, source);
      const mayBeOld = doubt !== undefined || !users.has(user);
      if (mayBeOld && !asked.has(user) && bucket("") === 0) {
        asked.add(user);
        void refresh();
      }
      return doubt;
    },
  };
}

/** Whether a listed host needs no name server: names of this machine itself count as addresses. */
function isAddress(host: string): boolean {
  return host.includes(":") || isIPv4(host) || isLoopback(host);
}
