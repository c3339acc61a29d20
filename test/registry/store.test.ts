import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Address } from "../../src/core/schemas.ts";
import { openStore } from "../../src/registry/stores/index.ts";
import { OPERATOR } from "../../src/registry/stores/ownership.ts";
import { openFile } from "../../src/registry/stores/sqlite-file.ts";
import type { Store } from "../../src/registry/stores/types.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { freshStore, openTestStore, storeKinds, temporaryFolder } from "../helpers/registry.ts";

const HERE: Address = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };
const THERE: Address = { protocol: "UDP", host: "::1", port: 3000 };
const ODD_NAMES = ["__proto__", "constructor", "then", "10", "...", "-", "A".repeat(64)];

async function users(store: Store): Promise<[string, Address][]> {
  return Array.from(await store.registrations(), ({ user, address }) => [user, address]);
}

async function registrationOf(store: Store, name: string): Promise<number> {
  const found = Array.from(await store.registrations()).find(({ user }) => user === name);
  if (!found) throw new Error(`${name} is not registered`);
  return found.id;
}

/** Some hundred at once, as a busy registry does. */
async function inParts(names: string[], run: (name: string) => unknown): Promise<void> {
  for (let i = 0; i < names.length; i += 500) await Promise.all(names.slice(i, i + 500).map(run));
}

describe.each(storeKinds)("a store at %s", (url) => {
  test("keeps what it is given", async () => {
    const store = await openTestStore(url);
    expect(await store.create("alice", HERE)).toBe("done");
    expect(await store.get("alice")).toEqual(HERE);
    expect(await users(store)).toEqual([["alice", HERE]]);
  });

  test("creates a name once", async () => {
    const store = await openTestStore(url);
    await store.create("alice", HERE);
    expect(await store.create("alice", THERE)).toBe("taken");
    expect(await store.get("alice")).toEqual(HERE);
  });

  test("put replaces a user or creates one", async () => {
    const store = await openTestStore(url);
    await store.put("alice", HERE);
    await store.put("alice", THERE);
    expect(await users(store)).toEqual([["alice", THERE]]);
  });

  test("removes a user, and tolerates a missing one", async () => {
    const store = await openTestStore(url);
    await store.create("alice", HERE);
    expect(await store.remove("alice")).toBe("done");
    expect(await store.remove("alice")).toBe("absent");
    expect(await store.get("alice")).toBeUndefined();
    expect(await users(store)).toEqual([]);
  });

  test.each(ODD_NAMES)("treats %s as a name like any other", async (name) => {
    const store = await openTestStore(url);
    expect(await store.get(name)).toBeUndefined();
    expect(await store.create(name, HERE)).toBe("done");
    expect(await store.create(name, HERE)).toBe("taken");
    expect(await users(store)).toEqual([[name, HERE]]);
    await store.remove(name);
    expect(await users(store)).toEqual([]);
  });

  test("expires the given registration, but not the user's next one at the same address", async () => {
    const store = await openTestStore(url);
    await store.create("alice", HERE);
    const first = await registrationOf(store, "alice");
    await store.put("alice", HERE);
    expect(await store.expire("alice", first)).toBe(false);
    expect(await store.expire("alice", await registrationOf(store, "alice"))).toBe(true);
    expect(await users(store)).toEqual([]);
  });

  test("lets only its owner and the operator change a user", async () => {
    const store = await openTestStore(url);
    expect(await store.create("alice", HERE, "secret")).toBe("done");
    expect(await store.create("alice", THERE, "secret")).toBe("own");
    expect(await store.create("alice", THERE)).toBe("taken");
    expect(await store.put("alice", THERE)).toBe("unauthorized");
    expect(await store.put("alice", THERE, "guess")).toBe("forbidden");
    expect(await store.remove("alice")).toBe("unauthorized");
    expect(await store.remove("alice", "guess")).toBe("forbidden");
    expect(await users(store)).toEqual([["alice", HERE]]);
    expect(await store.put("alice", THERE, "secret")).toBe("done");
    expect(await store.put("alice", HERE, OPERATOR)).toBe("done");
    expect(await store.put("alice", THERE)).toBe("unauthorized");
    expect(await store.remove("alice", "secret")).toBe("done");
    expect(await store.create("alice", THERE)).toBe("done");
  });

  test("lets anybody change a user who was registered without a secret", async () => {
    const store = await openTestStore(url);
    await store.create("alice", HERE);
    expect(await store.put("alice", THERE, "secret")).toBe("done");
    expect(await store.put("alice", HERE)).toBe("done");
    expect(await store.put("bob", HERE, "secret")).toBe("done");
    expect(await store.put("bob", HERE)).toBe("unauthorized");
    expect(await store.remove("alice")).toBe("done");
  });

  test("reserves an expired owner's name for 24 h, for nobody else", async () => {
    let time = 1_000_000;
    const store = await openTestStore(url, { now: () => time });
    await store.create("alice", HERE, "secret");
    await store.expire("alice", await registrationOf(store, "alice"));
    expect(await users(store)).toEqual([]);
    expect(await store.create("alice", THERE)).toBe("reserved");
    expect(await store.create("alice", THERE, "guess")).toBe("reserved");
    expect(await store.put("alice", THERE)).toBe("unauthorized");
    expect(await store.put("alice", THERE, "guess")).toBe("forbidden");
    expect(await store.create("alice", THERE, "secret")).toBe("done");
    await store.expire("alice", await registrationOf(store, "alice"));
    time += 24 * 60 * 60 * 1000;
    expect(await store.create("alice", THERE)).toBe("done");
    expect(await store.put("alice", HERE)).toBe("done");
  });

  test("reserves at most 10,000 names of expired owners, and drops the oldest", async () => {
    let time = 1_000_000;
    const store = await openTestStore(url, { now: () => time });
    const names = Array.from({ length: 10_001 }, (_, i) => `user-${i}`);
    await inParts(names, (name) => store.create(name, HERE, "secret"));
    const ids = new Map(Array.from(await store.registrations(), ({ user, id }) => [user, id]));
    await store.expire("user-0", ids.get("user-0") ?? 0);
    time++;
    await inParts(names.slice(1), (name) => store.expire(name, ids.get(name) ?? 0));
    expect(await store.create("user-0", HERE)).toBe("done");
    expect(await store.create("user-1", HERE)).toBe("reserved");
  });

  test("releases a name at the operator's request", async () => {
    const store = await openTestStore(url);
    await store.create("alice", HERE, "secret");
    await store.create("bob", HERE, "secret");
    await store.expire("bob", await registrationOf(store, "bob"));
    expect(await store.release("alice")).toBe(true);
    expect(await store.release("bob")).toBe(true);
    expect(await store.release("carol")).toBe(false);
    expect(await store.put("alice", THERE)).toBe("done");
    expect(await store.create("bob", THERE)).toBe("done");
  });

  test("accepts no more new users than its limit, even concurrent ones", async () => {
    const store = await openTestStore(url, { maxUsers: 10 });
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => store.create(`user-${i}`, HERE)));
    expect(results.filter((result) => result === "done")).toHaveLength(10);
    expect(results.filter((result) => result === "full")).toHaveLength(40);
    expect(await store.put("one-more", HERE)).toBe("full");
    expect(await store.put("user-0", THERE)).toBe("done");
    await store.remove("user-0");
    expect(await store.put("one-more", HERE)).toBe("done");
  });

  test("gives each of many concurrent PUTs its own result, whatever the others get", async () => {
    const store = await openTestStore(url, { maxUsers: 302 });
    await store.create("owned", HERE, "a secret's hash");
    await store.create("open", HERE);
    const fates = await Promise.all([
      store.put("owned", THERE, "another"),
      store.put("open", THERE),
      ...Array.from({ length: 250 }, (_, i) => store.put(`user-${i}`, { ...HERE, port: i + 1 })),
      store.put("owned", THERE),
      store.put("owned", THERE, "a secret's hash"),
      ...Array.from({ length: 50 }, (_, i) => store.put(`late-${i}`, HERE, "late")),
      store.put("one-too-many", HERE),
    ]);
    expect(fates.slice(0, 2)).toEqual(["forbidden", "done"]);
    expect(new Set(fates.slice(2, 252))).toEqual(new Set(["done"]));
    expect(fates.slice(252, 254)).toEqual(["unauthorized", "done"]);
    expect(new Set(fates.slice(254, 304))).toEqual(new Set(["done"]));
    expect(fates[304]).toBe("full");
    expect(await store.get("user-249")).toEqual({ ...HERE, port: 250 });
    expect(await store.get("owned")).toEqual(THERE);
    expect(await store.put("late-49", THERE)).toBe("unauthorized");
    expect(await users(store)).toHaveLength(302);
  });

  test("has a new version after each change, and the same one while nothing changes", async () => {
    const store = await openTestStore(url);
    const versions = [await store.version(), await store.version()];
    expect(versions[0]).toBe(versions[1]);
    await store.create("alice", HERE);
    versions.push(await store.version());
    await store.put("alice", THERE);
    versions.push(await store.version());
    await store.remove("alice");
    versions.push(await store.version());
    expect(new Set(versions).size).toBe(4);
    await store.remove("alice");
    await store.create("bob", HERE);
    const before = await store.version();
    await store.create("bob", THERE);
    expect(await store.version()).toBe(before);
  });
});

describe.each(storeKinds.slice(1))("two registries' stores at %s", (kind) => {
  async function pair() {
    const url = await freshStore(kind);
    const stores = [await openStore(url), await openStore(url)] as const;
    afterwards(() => Promise.all(stores.map((store) => store.close())));
    return stores;
  }

  test("see each other's writes, and the new version, at once", async () => {
    const [first, second] = await pair();
    const before = await second.version();
    await first.create("alice", HERE);
    expect(await second.get("alice")).toEqual(HERE);
    expect(await second.version()).not.toBe(before);
  });

  test("create a name once between them", async () => {
    const [first, second] = await pair();
    const results = [await first.create("alice", HERE), await second.create("alice", THERE)];
    expect(results).toEqual(["done", "taken"]);
  });

  test("grant the lease to one of them, until it is released or expires", async () => {
    const [first, second] = await pair();
    expect(await first.lease("first", 60_000)).toBe(true);
    expect(await first.lease("first", 60_000)).toBe(true);
    expect(await second.lease("second", 60_000)).toBe(false);
    expect(await first.lease("first", 0)).toBe(true);
    expect(await second.lease("second", 1)).toBe(true);
    while (!(await first.lease("first", 60_000))) await new Promise(setImmediate);
    expect(await second.lease("second", 60_000)).toBe(false);
  });

  test("write concurrently without losing anything", async () => {
    const stores = await pair();
    const names = Array.from({ length: 500 }, (_, i) => `user-${i}`);
    const results = await Promise.all(
      names.flatMap((name) => stores.map((store) => store.create(name, HERE))),
    );
    expect(results.filter((result) => result === "done")).toHaveLength(500);
    expect(await users(stores[0])).toHaveLength(500);
  });
});

describe("a SQLite file", () => {
  test("keeps its users when closed and reopened", async () => {
    const url = `sqlite:${join(temporaryFolder(), "users.db")}`;
    const first = await openStore(url);
    await first.create("alice", HERE);
    await first.close();
    const second = await openStore(url);
    afterwards(() => second.close());
    expect(await second.get("alice")).toEqual(HERE);
  });

  test.each([
    ["process", 1],
    ["power", 2],
  ] as const)("is synchronized for durability %s at level %d", (durability, synchronous) => {
    // https://www.sqlite.org/pragma.html#pragma_synchronous: in WAL mode, only FULL waits for the disk at each commit.
    const database = openFile(join(temporaryFolder(), "users.db"), durability);
    afterwards(() => database.close());
    expect(database.query("PRAGMA synchronous").get()).toEqual({ synchronous });
    expect(database.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  });

  test("that is no database is refused, with its path in the error", async () => {
    const path = join(temporaryFolder(), "notes.txt");
    await Bun.write(path, "no database, but long enough to look like one ".repeat(50));
    expect(openStore(`sqlite:${path}`)).rejects.toThrow(`cannot open the store ${path}`);
  });

  test("in a missing folder is refused, with its path in the error", async () => {
    const path = join(temporaryFolder(), "missing", "users.db");
    expect(openStore(`sqlite:${path}`)).rejects.toThrow(`cannot open the store ${path}`);
  });
});

test.each(["", "memory", "memory:x", "sqlite:", "postgres://db", "users.db"])(
  "%p names no store",
  async (url) => {
    expect(openStore(url)).rejects.toThrow("--store must be memory:, sqlite:<path> or redis://");
  },
);
