/** Registration limits per source address, so that nobody can fill the registry. */
import { canonicalHost, groupsOf, isLoopback } from "../../core/address.ts";
import type { Clock } from "../../core/clock.ts";
import { refused } from "../../core/errors.ts";
import { createTokenBucket } from "../../core/limits/token-bucket.ts";
import type { UserName } from "../../core/schemas.ts";
import { andThen, type MaybePromise } from "../maybe-promise.ts";

/** New users per source: this many at once, refilled at the same number a minute. */
const PER_MINUTE = 60;

/** Most live users per source. */
const MAX_LIVE = 1000;

/** Retry-After of a source with too many users, in seconds: by then its users have been checked. */
const FULL_SECONDS = 180;

/** Most sources remembered; beyond that, the one whose last new user is oldest is forgotten. */
const MAX_SOURCES = 10_000;

/** Reach tests per source. */
const REACH = { burst: 30, perSecond: 1 };

export interface RegistrationLimits {
  /**
   * Stores a user within the limits of a source (an IP address). Only new users count, not changes to known ones.
   * @param store resolves to `done` if the user is stored
   * @throws TalkError `too-many-users`
   */
  within<T extends string>(user: UserName, source: string, store: () => MaybePromise<T>): MaybePromise<T>;
}

export interface RegistrationLimitsOptions {
  /** Whether a user is registered. */
  isLive: (user: UserName) => MaybePromise<boolean>;
  clock: Clock;
  /** Sources without a limit. @default this machine, because a proxy on it may serve many */
  exempt?: (source: string) => boolean;
}

export function createRegistrationLimits({
  isLive,
  clock,
  exempt = isLoopback,
}: RegistrationLimitsOptions): RegistrationLimits {
  const bucket = createTokenBucket({ perSecond: PER_MINUTE / 60, burst: PER_MINUTE, now: clock.now });
  /** Users registered from each source; some may have left since. */
  const sources = new Map<string, Set<UserName>>();

  function usersOf(block: string): Set<UserName> {
    const users = sources.get(block) ?? new Set();
    sources.delete(block);
    sources.set(block, users);
    const [oldest] = sources.keys();
    if (sources.size > MAX_SOURCES && oldest !== undefined) sources.delete(oldest);
    return users;
  }

  /** Reserves a place before storing, so that concurrent requests cannot exceed the limit, and returns it on failure. */
  async function storeNew<T extends string>(
    user: UserName,
    block: string,
    store: () => MaybePromise<T>,
  ): Promise<T> {
    const users = usersOf(block);
    const wait = bucket(block);
    if (wait > 0) throw refused("too-many-users", { retryAfter: Math.ceil(wait / 1000) });
    await makeRoom(users);
    const known = users.has(user);
    users.add(user);
    let result: string | undefined;
    try {
      const stored = await store();
      result = stored;
      return stored;
    } finally {
      if (result !== "done") {
        bucket.refund(block);
        if (!known) users.delete(user);
      }
    }
  }

  /** Forgets users who have left, which is only worth looking up at the limit. The token stays spent. */
  async function makeRoom(users: Set<UserName>): Promise<void> {
    if (users.size < MAX_LIVE) return;
    for (const user of [...users]) if (!(await isLive(user))) users.delete(user);
    if (users.size >= MAX_LIVE) throw refused("too-many-users", { retryAfter: FULL_SECONDS });
  }

  return {
    within(user, source, store) {
      if (exempt(source)) return store();
      return andThen(isLive(user), (known) => (known ? store() : storeNew(user, blockOf(source), store)));
    },
  };
}

/**
 * Limits reach tests per source, for all users together.
 * @returns a function that counts a test; it throws TalkError `asked-too-soon`
 */
export function createReachLimit(): (source: string) => void {
  const bucket = createTokenBucket(REACH);
  return (source) => {
    const wait = isLoopback(source) ? 0 : bucket(blockOf(source));
    if (wait > 0) throw refused("asked-too-soon", { retryAfter: Math.ceil(wait / 1000) });
  };
}

/** What counts as one source: an IPv4 address, or the /64 that one IPv6 host usually has to itself. */
export function blockOf(ip: string): string {
  const canonical = canonicalHost(ip);
  if (!canonical.includes(":")) return canonical;
  return `${groupsOf(canonical)
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}
