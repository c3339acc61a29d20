import { InvalidInput, UsageError } from "../../core/errors.ts";
import { type Address, isRecord, parse, Registration, type UserName } from "../../core/schemas.ts";
import { MAX_RESERVED, RESERVED_MS } from "./ownership.ts";
import { createBatches } from "./redis-batches.ts";
import { connectRedis, type RedisCommands } from "./redis-connection.ts";
import {
  CHECKER_KEY,
  CREATE,
  EXPIRE,
  KEYS,
  LEASE,
  MAY_CHANGE,
  NOBODY,
  PUT,
  RELEASE,
  REMOVE,
  TRIAL,
} from "./redis-scripts.ts";
import { type Claim, MAX_USERS, type Store, type StoredUser, type StoreOptions } from "./types.ts";

const [USERS, OWNERS, , VERSION] = KEYS;

/** The possible results of the scripts. */
const CREATED = ["done", "taken", "own", "reserved", "full"] as const;
const MOVED = ["done", "full", "unauthorized", "forbidden"] as const;
const REMOVED = ["done", "absent", "unauthorized", "forbidden"] as const;

/** Most PUTs per script: Redis serves nobody else while it runs one. */
const MAX_PUTS = 100;

/** How often to test for writability, in milliseconds: a registry that only reads would not notice a failover. */
const LOOK_MS = 1000;

/** Most unreadable entries that are told of. */
const MAX_UNREADABLE = 100;

/** A registration's id and the version it makes; random, because several registries write. */
function randomId(): string {
  return String(Math.floor(Math.random() * Number.MAX_SAFE_INTEGER));
}

/**
 * A store in Redis, which several registries may share. Each change is one script, and so atomic.
 * @param url `redis://[user:password@]host:port/db` or `rediss://…`
 * @throws UsageError, StoreUnavailable
 */
export async function openRedis(
  url: string,
  { maxUsers = MAX_USERS, now = Date.now, onUnreadable = () => {} }: StoreOptions = {},
): Promise<Store> {
  const { hostname, pathname } = URL.parse(url) ?? {};
  if (!hostname || !/^\/?\d*$/.test(pathname ?? "")) {
    throw new UsageError("--store must look like redis://[user:password@]host:port/db");
  }
  const redis = await connectRedis(url, tryOut);
  const look = setInterval(() => {
    // Ignored here: other commands report the error, and the connection reopens by itself.
    redis.send("HDEL", [USERS, NOBODY]).catch(() => {});
  }, LOOK_MS);

  function change(script: string, user: UserName, claim: Claim, ...rest: (string | number)[]) {
    return redis.run(script, KEYS, [user, claim ?? "", String(now()), randomId(), ...rest.map(String)]);
  }

  const unreadable = new Set<string>();

  /** A stored user; undefined if it is none, because others may write to the same Redis. */
  function read(user: UserName, kept: unknown): StoredUser | undefined {
    const [id, protocol, host, port] = String(kept).split(" ");
    try {
      const registration = parse(Registration, { user, address: { protocol, host, port } });
      if (/^\d{1,16}$/.test(id ?? "")) return { ...registration, id: Number(id) };
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
    }
    if (unreadable.size < MAX_UNREADABLE && !unreadable.has(user)) {
      unreadable.add(user);
      onUnreadable(user);
    }
    return undefined;
  }

  /** Arguments of a PUT: user, claim, random number, address. */
  type Put = [user: UserName, claim: string, id: string, address: string];

  const put = createBatches(
    MAX_PUTS,
    async ([[user, claim, id, address] = ["", "", "", ""], ...others]: Put[]) => {
      const args = [user, claim, String(now()), id, address, String(maxUsers), ...others.flat()];
      const answers = await redis.run(PUT, KEYS, args);
      return Array.isArray(answers) ? answers : [];
    },
  );

  return {
    create: async (user, address, claim) =>
      oneOf(CREATED, await change(CREATE, user, claim, write(address), maxUsers)),
    put: async (user, address, claim) =>
      oneOf(MOVED, await put([user, claim ?? "", randomId(), write(address)])),
    mayChange: async (user, claim) => oneOf(REMOVED, await change(MAY_CHANGE, user, claim)),
    remove: async (user, claim) => oneOf(REMOVED, await change(REMOVE, user, claim)),
    expire: async (user, registration) =>
      (await change(EXPIRE, user, undefined, registration, now() + RESERVED_MS, MAX_RESERVED)) === 1,
    release: async (user) => Number(await change(RELEASE, user, undefined)) > 0,
    async get(user) {
      const kept = await redis.send("HGET", [USERS, user]);
      return kept === null ? undefined : read(user, kept)?.address;
    },
    async registrations() {
      return entries(await redis.send("HGETALL", [USERS])).flatMap(([user, kept]) => read(user, kept) ?? []);
    },
    version: async () => String(await redis.send("GET", [VERSION])),
    lease: async (registry, ms) => (await redis.run(LEASE, [CHECKER_KEY], [registry, String(ms)])) === 1,
    close() {
      clearInterval(look);
      redis.close();
    },
  };
}

/** Tries every command a registry uses, without changing anything. @throws StoreUnavailable with Redis' error */
async function tryOut({ send, run }: RedisCommands): Promise<void> {
  const id = randomId();
  const common = [NOBODY, "", "0", id];
  await send("GET", [VERSION]);
  await send("HGET", [USERS, NOBODY]);
  await send("HGETALL", [USERS]);
  // Outside a script, because within one Redis checks memory only at the first write.
  await send("HDEL", [OWNERS, NOBODY]);
  await send("HSET", [OWNERS, NOBODY, ""]);
  await send("HDEL", [OWNERS, NOBODY]);
  await run(MAY_CHANGE, KEYS, common);
  await run(REMOVE, KEYS, common);
  await run(EXPIRE, KEYS, [...common, "0", "0", "0"]);
  await run(RELEASE, KEYS, common);
  // At most 0 users, so nobody is added.
  await run(CREATE, KEYS, [...common, "", "0"]);
  await run(PUT, KEYS, [...common, "", "0"]);
  await run(LEASE, [CHECKER_KEY], [id, "0"]);
  const trial = [TRIAL, String(KEYS.length + 1), ...KEYS, CHECKER_KEY, NOBODY];
  // EVAL first: it is needed whenever Redis has flushed its scripts.
  await send("EVAL", trial);
  await run(TRIAL, [...KEYS, CHECKER_KEY], [NOBODY]);
}

function write({ protocol, host, port }: Address): string {
  return `${protocol} ${host} ${port}`;
}

/** Narrows a reply to one of its script's results. */
function oneOf<T extends string>(words: readonly T[], answer: unknown): T {
  const word = words.find((word) => word === answer);
  if (word === undefined) throw new Error(`Redis answered ${answer}`);
  return word;
}

function entries(hash: unknown): [string, unknown][] {
  return isRecord(hash) ? Object.entries(hash) : [];
}
