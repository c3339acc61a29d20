import { UsageError } from "../../core/errors.ts";
import { Address, isRecord, parse, type UserName } from "../../core/schemas.ts";
import { type Claim, MAX_USERS, type Registered, type Store, type StoreOptions } from "../store.ts";
import { createBatches } from "./batches.ts";
import { MAX_RESERVED, RESERVED_MS } from "./owners.ts";
import { connectRedis } from "./redis-connection.ts";
import {
  CHECKER_KEY,
  CREATE,
  EXPIRE,
  KEYS,
  LEASE,
  MAY_CHANGE,
  PUT,
  RELEASE,
  REMOVE,
} from "./redis-scripts.ts";

const [USERS, , , VERSION, SEEN] = KEYS;

/** What the scripts may say. */
const CREATED = ["done", "taken", "own", "reserved", "full"] as const;
const MOVED = ["done", "full", "unauthorized", "forbidden"] as const;
const REMOVED = ["done", "absent", "unauthorized", "forbidden"] as const;

/** Most users that one script moves: Redis does nothing else meanwhile. */
const MAX_PUTS = 100;

/** How long it is remembered who was seen when, in milliseconds, once nobody checks any more. */
const SEEN_MS = 24 * 60 * 60 * 1000;

/** A registration's id, and the version that it makes: random, because several registries write. */
function randomId(): string {
  return String(Math.floor(Math.random() * Number.MAX_SAFE_INTEGER));
}

/**
 * Users in a Redis that several registries share. Each change is one script, so that no two get in each other's
 * way. @param url `redis://[user:password@]host:port/db` or `rediss://…`. @throws UsageError, StoreUnavailable
 */
export async function openRedis(
  url: string,
  { maxUsers = MAX_USERS, now = Date.now }: StoreOptions = {},
): Promise<Store> {
  const { hostname, pathname } = URL.parse(url) ?? {};
  if (!hostname || !/^\/?\d*$/.test(pathname ?? "")) {
    throw new UsageError("--store must look like redis://[user:password@]host:port/db");
  }
  const redis = await connectRedis(url);

  function change(script: string, user: UserName, claim: Claim, ...rest: (string | number)[]) {
    return redis.run(script, KEYS, [user, claim ?? "", String(now()), randomId(), ...rest.map(String)]);
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
      return kept === null ? undefined : read(user, kept).address;
    },
    async registrations() {
      return entries(await redis.send("HGETALL", [USERS])).map(([user, kept]) => read(user, kept));
    },
    version: async () => String(await redis.send("GET", [VERSION])),
    checking: {
      lease: async (registry, ms) => (await redis.run(LEASE, [CHECKER_KEY], [registry, String(ms)])) === 1,
      async note(seen) {
        if (seen.size === 0) return;
        await redis.send("HSET", [
          SEEN,
          ...[...seen].flatMap(([user, at]) => [user, String(Math.round(at))]),
        ]);
        await redis.send("PEXPIRE", [SEEN, String(SEEN_MS)]);
      },
      async noted() {
        const seen = entries(await redis.send("HGETALL", [SEEN]));
        return new Map(seen.map(([user, at]) => [user, Number(at)]));
      },
    },
    close: () => redis.close(),
  };
}

function write({ protocol, host, port }: Address): string {
  return `${protocol} ${host} ${port}`;
}

function read(user: UserName, kept: unknown): Registered {
  const [id, protocol, host, port] = String(kept).split(" ");
  return { user, id: Number(id), address: parse(Address, { protocol, host, port }) };
}

/** Redis' answer as one of the words that its script says. */
function oneOf<T extends string>(words: readonly T[], answer: unknown): T {
  const word = words.find((word) => word === answer);
  if (word === undefined) throw new Error(`Redis answered ${answer}`);
  return word;
}

function entries(hash: unknown): [string, unknown][] {
  return isRecord(hash) ? Object.entries(hash) : [];
}
