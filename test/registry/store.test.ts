import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Address } from "../../src/core/schemas.ts";
import { openStore, type Store } from "../../src/registry/store.ts";
import { afterwards, openTestStore, temporaryFolder } from "../helpers/registry.ts";

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

describe.each(["memory:", "sqlite:"])("a store at %s", (url) => {
  test("keeps what it is given", async () => {
    const store = await openTestStore(url);
    expect(await store.create("alice", HERE)).toBe(true);
    expect(await store.get("alice")).toEqual(HERE);
    expect(await users(store)).toEqual([["alice", HERE]]);
  });

  test("creates a name once", async () => {
    const store = await openTestStore(url);
    await store.create("alice", HERE);
    expect(await store.create("alice", THERE)).toBe(false);
    expect(await store.get("alice")).toEqual(HERE);
  });

  test("puts over what was there, and where nothing was", async () => {
    const store = await openTestStore(url);
    await store.put("alice", HERE);
    await store.put("alice", THERE);
    expect(await users(store)).toEqual([["alice", THERE]]);
  });

  test("removes a user, and does not mind a missing one", async () => {
    const store = await openTestStore(url);
    await store.create("alice", HERE);
    await store.remove("alice");
    await store.remove("alice");
    expect(await store.get("alice")).toBeUndefined();
    expect(await users(store)).toEqual([]);
  });

  test.each(ODD_NAMES)("takes %s as a name like any other", async (name) => {
    const store = await openTestStore(url);
    expect(await store.get(name)).toBeUndefined();
    expect(await store.create(name, HERE)).toBe(true);
    expect(await store.create(name, HERE)).toBe(false);
    expect(await users(store)).toEqual([[name, HERE]]);
    await store.remove(name);
    expect(await users(store)).toEqual([]);
  });

  test("removes the given registration, and not the user's next one at the same address", async () => {
    const store = await openTestStore(url);
    await store.create("alice", HERE);
    const first = await registrationOf(store, "alice");
    await store.put("alice", HERE);
    expect(await store.remove("alice", first)).toBe(false);
    expect(await store.remove("alice", await registrationOf(store, "alice"))).toBe(true);
    expect(await users(store)).toEqual([]);
  });

  test("has another version after each change, and the same while nothing changes", async () => {
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

describe("two stores on one SQLite file", () => {
  async function pair() {
    const url = `sqlite:${join(temporaryFolder(), "users.db")}`;
    const stores = [await openStore(url), await openStore(url)] as const;
    afterwards(() => Promise.all(stores.map((store) => store.close())));
    return stores;
  }

  test("see each other's writes at once, and change version by them", async () => {
    const [first, second] = await pair();
    const before = await second.version();
    await first.create("alice", HERE);
    expect(await second.get("alice")).toEqual(HERE);
    expect(await second.version()).not.toBe(before);
  });

  test("create a name once between them", async () => {
    const [first, second] = await pair();
    const results = [await first.create("alice", HERE), await second.create("alice", THERE)];
    expect(results).toEqual([true, false]);
  });
});

describe("a SQLite file", () => {
  test("keeps its users when it is closed and opened again", async () => {
    const url = `sqlite:${join(temporaryFolder(), "users.db")}`;
    const first = await openStore(url);
    await first.create("alice", HERE);
    await first.close();
    const second = await openStore(url);
    afterwards(() => second.close());
    expect(await second.get("alice")).toEqual(HERE);
  });

  test("that is no database is refused with its name", async () => {
    const path = join(temporaryFolder(), "notes.txt");
    await Bun.write(path, "no database, but long enough to look like one ".repeat(50));
    expect(openStore(`sqlite:${path}`)).rejects.toThrow(`cannot open the store ${path}`);
  });

  test("in a missing folder is refused with its name", async () => {
    const path = join(temporaryFolder(), "missing", "users.db");
    expect(openStore(`sqlite:${path}`)).rejects.toThrow(`cannot open the store ${path}`);
  });
});

test.each(["", "memory", "memory:x", "sqlite:", "postgres://db", "users.db"])(
  "%p names no store",
  async (url) => {
    expect(openStore(url)).rejects.toThrow("--store must be memory: or sqlite:<path>");
  },
);
