/** How many users may be registered from one place, so that nobody fills the registry for all others. */
import { canonicalHost, isLoopback } from "../../core/address.ts";
import type { Clock } from "../../core/clock.ts";
import { refused } from "../../core/errors.ts";
import type { UserName } from "../../core/schemas.ts";
import type { MaybePromise } from "../maybe-promise.ts";

/** New users from one source: so many at once, and as many again in any minute. */
const PER_MINUTE = 60;
const REFILL_MS = 60_000 / PER_MINUTE;

/** Users from one source that are there at the same time. */
const MAX_LIVE = 1000;

/** How long a full source is told to wait, in seconds: by then its users have been checked. */
const FULL_SECONDS = 180;

/** Sources remembered, in the order of their last new user; the first is forgotten for one too many. */
const MAX_SOURCES = 10_000;

export interface Admission {
  /** Whether users from a source (an IP address) are counted at all. */
  counts(source: string): boolean;
  /**
   * Stores a user who may be a new one. Room is made before, so that many at once cannot slip through together,
   * and taken back if there is no new user after all.
   * @param store resolves to `done` if there is one
   * @throws `too-many-users`
   */
  admit<T extends string>(user: UserName, source: string, store: () => MaybePromise<T>): Promise<T>;
}

export interface AdmissionOptions {
  /** Whether a user is still there. */
  isLive: (user: UserName) => MaybePromise<boolean>;
  clock: Clock;
  /** @default this machine, where a proxy may be asking for many */
  exempt?: (source: string) => boolean;
}

interface Source {
  /** New users that may still come at this moment, were it `asOf`. */
  tokens: number;
  asOf: number;
  /** Those who came from here, and may have left since. */
  users: Set<UserName>;
}

export function createAdmission({ isLive, clock, exempt = isLoopback }: AdmissionOptions): Admission {
  const sources = new Map<string, Source>();

  function sourceAt(key: string): Source {
    const now = clock.now();
    const source = sources.get(key) ?? { tokens: PER_MINUTE, asOf: now, users: new Set() };
    source.tokens = Math.min(PER_MINUTE, source.tokens + (now - source.asOf) / REFILL_MS);
    source.asOf = now;
    sources.delete(key);
    sources.set(key, source);
    const [oldest] = sources.keys();
    if (sources.size > MAX_SOURCES && oldest !== undefined) sources.delete(oldest);
    return source;
  }

  async function makeRoom(source: Source): Promise<void> {
    if (source.tokens < 1)
      throw refused("too-many-users", { retryAfter: Math.ceil(((1 - source.tokens) * REFILL_MS) / 1000) });
    source.tokens--;
    if (source.users.size < MAX_LIVE) return;
    // Looked for only now: who left need not be known before it matters. The token is spent all the same.
    for (const user of [...source.users]) if (!(await isLive(user))) source.users.delete(user);
    if (source.users.size >= MAX_LIVE) throw refused("too-many-users", { retryAfter: FULL_SECONDS });
  }

  return {
    counts: (source) => !exempt(source),
    async admit(user, from, store) {
      if (exempt(from)) return store();
      const source = sourceAt(blockOf(from));
      await makeRoom(source);
      const known = source.users.has(user);
      source.users.add(user);
      let result: string | undefined;
      try {
        const stored = await store();
        result = stored;
        return stored;
      } finally {
        if (result !== "done") {
          source.tokens++;
          if (!known) source.users.delete(user);
        }
      }
    },
  };
}

/** What counts as one source: an IPv4 address, or the /64 network that one IPv6 host usually has to itself. */
export function blockOf(ip: string): string {
  const canonical = canonicalHost(ip);
  if (!canonical.includes(":")) return canonical;
  const [left = "", right] = canonical.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right ? right.split(":") : [];
  const zeros = Array.from({ length: right === undefined ? 0 : 8 - head.length - tail.length }, () => "0");
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(":")}::/64`;
}
