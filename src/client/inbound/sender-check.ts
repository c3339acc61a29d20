/** Checks that a message came from where its sender is registered, because anybody can write any name. */
import { networkInterfaces } from "node:os";
import { canonicalHost, isLoopback, resolveHost } from "../../core/address.ts";
import type { Clock } from "../../core/clock.ts";
import { createTokenBucket } from "../../core/limits/token-bucket.ts";
import { isIPv4 } from "../../core/names.ts";
import type { UserName } from "../../core/schemas.ts";
import type { Users } from "../registry/types.ts";

/** Limits list requests, however many strangers write: a burst, then so many a second. */
const LISTS = { burst: 5, perSecond: 0.2 };

/** How long DNS answers and this machine's own addresses are cached, in milliseconds. */
const BELIEVED_MS = 60_000;

/** Most host names cached; users beyond that cannot be verified. */
const MAX_HOSTS = 1000;

/** Most concurrent lookups: they share the process's few resolver threads with those for sending. */
const MAX_LOOKUPS = 2;

export interface SenderCheck {
  /** Takes in the list, and looks up its host names. */
  learn(users: Users): void;
  /**
   * Why a message may not be from its stated sender, as a sentence; undefined if it fits. Compares addresses without
   * ports, because messages leave from any port.
   * @param source the IP address it came from
   */
  doubt(user: UserName, source: string): string | undefined;
}

export interface SenderCheckOptions {
  /** Fetches the list again, because the known one may be stale. Never rejects. */
  refresh: () => Promise<unknown>;
  clock: Clock;
  /** Resolves a host name to IP addresses. */
  resolve?: (host: string) => Promise<string[]>;
}

/** Never waits: what is not yet known is looked up for the next message. */
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
  /** Users for whom the list has already been fetched again. */
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

  /** A host's IP addresses, as far as known. */
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
    // An unregistered name impersonates nobody: `talk send` needs no registration.
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

/** Whether a listed host needs no DNS: names of this machine itself count as addresses. */
function isAddress(host: string): boolean {
  return host.includes(":") || isIPv4(host) || isLoopback(host);
}
