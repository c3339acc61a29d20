/** GET /v1/events, over every store. */
import { describe, expect, test } from "bun:test";
import { StoreUnavailable } from "../../src/core/errors.ts";
import { createApp } from "../../src/registry/http/app.ts";
import { createEvents } from "../../src/registry/http/events.ts";
import { createRegistry } from "../../src/registry/index.ts";
import { openStore } from "../../src/registry/stores/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { listenTo } from "../helpers/event-stream.ts";
import { createRandom } from "../helpers/random.ts";
import { freshStore, listen, openTestStore, storeKinds } from "../helpers/registry.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };
const THERE = { protocol: "UDP", host: "10.0.0.5", port: 3000 };

/** Registries on one store, as processes would share it. */
async function registriesOn(kind: string, count: number): Promise<string[]> {
  const url = await freshStore(kind);
  const urls: string[] = [];
  for (let i = 0; i < count; i++) {
    const registry = await createRegistry({ store: url });
    urls.push(await registry.listen({ port: 0 }));
    afterwards(() => registry.close());
  }
  return urls;
}

async function registryOn(kind: string): Promise<string> {
  const [url = ""] = await registriesOn(kind, 1);
  return url;
}

function put(url: string, user: string, address: object = HERE): Promise<Response> {
  return fetch(`${url}/v1/users/${user}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(address),
  });
}

function remove(url: string, user: string): Promise<Response> {
  return fetch(`${url}/v1/users/${user}`, { method: "DELETE" });
}

/** Whether a stream can be had, which is given back at once. */
async function isFree(url: string): Promise<boolean> {
  const stop = new AbortController();
  const { status } = await fetch(`${url}/v1/events`, { signal: stop.signal });
  stop.abort();
  return status === 200;
}

async function listOf(url: string): Promise<unknown> {
  return (await fetch(`${url}/v1/users/`)).json();
}

describe.each(storeKinds)("the stream of changes on %s", (kind) => {
  test("begins with the list, and then reports who joins, moves and leaves", async () => {
    const url = await registryOn(kind);
    await put(url, "alice");
    const reader = await listenTo(url);
    expect(await reader.next()).toEqual({
      type: "users",
      id: expect.stringMatching(/^[\w-]{22}$/),
      data: await (await fetch(`${url}/v1/users/`)).text(),
    });
    await put(url, "bob");
    expect(await reader.next()).toMatchObject({
      type: "joined",
      data: JSON.stringify({ user: "bob", address: HERE }),
    });
    await put(url, "bob", THERE);
    expect(await reader.next()).toMatchObject({
      type: "moved",
      data: JSON.stringify({ user: "bob", address: THERE }),
    });
    await remove(url, "bob");
    expect(await reader.next()).toMatchObject({
      type: "left",
      data: JSON.stringify({ user: "bob", address: THERE }),
    });
    expect(new Set(reader.events.map(({ id }) => id)).size).toBe(3);
    expect(reader.events[3]?.id).toBe(reader.events[0]?.id);
  });

  test("reports nothing when a user registers again at the same address", async () => {
    const url = await registryOn(kind);
    await put(url, "alice");
    const reader = await listenTo(url);
    await reader.next();
    await put(url, "alice");
    await put(url, "bob");
    expect(await reader.next()).toMatchObject({ type: "joined", data: expect.stringContaining("bob") });
  });

  test("keeps the exact spelling of names and hosts", async () => {
    const url = await registryOn(kind);
    const reader = await listenTo(url);
    const users: Record<string, unknown> = Object.fromEntries(
      ["__proto__", "constructor", "then", "10", "-._"].map((user) => [user, HERE]),
    );
    for (const user of Object.keys(users)) await put(url, user);
    await reader.shows(users);
  });

  test("gives the same state the same id, even after everything has changed and changed back", async () => {
    const url = await registryOn(kind);
    await put(url, "alice");
    await put(url, "bob", THERE);
    const first = await listenTo(url);
    const { id } = await first.next();
    await remove(url, "alice");
    await remove(url, "bob");
    await first.shows({});
    await put(url, "bob", THERE);
    await put(url, "alice");
    await first.shows({ alice: HERE, bob: THERE });
    expect(first.lastId()).toBe(id);
  });

  test("sends no list to a reader who already has it, and continues from there", async () => {
    const url = await registryOn(kind);
    await put(url, "alice");
    const first = await listenTo(url);
    const { id } = await first.next();
    first.close();
    const again = await listenTo(url, id);
    await put(url, "bob");
    expect(await again.next()).toMatchObject({ type: "joined" });
    expect(again.text()).toStartWith(":\nretry: ");
  });

  test("sends the list to a reader who has another one", async () => {
    const url = await registryOn(kind);
    const first = await listenTo(url);
    const { id } = await first.next();
    first.close();
    await put(url, "alice");
    for (const stale of [id, "", "x", "\u00e9"]) {
      const again = await listenTo(url, stale);
      expect(await again.next()).toMatchObject({ type: "users" });
      expect(again.users()).toEqual({ alice: HERE });
    }
  });

  test("begins with every write that was acknowledged before the request", async () => {
    const url = await registryOn(kind);
    await listenTo(url);
    for (let i = 0; i < 20; i++) {
      await put(url, `user-${i}`);
      const reader = await listenTo(url);
      await reader.next();
      expect(Object.keys(reader.users())).toHaveLength(i + 1);
      reader.close();
    }
  });

  test("leads every reader to the registry's list through random changes, whenever it joined", async () => {
    const url = await registryOn(kind);
    const random = createRandom(17);
    const readers = [await listenTo(url)];
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let i = 0; i < 60; i++) {
          const user = `user-${writer}-${Math.floor(random() * 5)}`;
          if (random() < 0.3) await remove(url, user);
          else await put(url, user, { ...HERE, port: 1 + Math.floor(random() * 3) });
          if (i % 20 === 10) readers.push(await listenTo(url, readers.at(-1)));
        }
      }),
    );
    const list = await listOf(url);
    for (const reader of readers) await reader.shows(list);
  });
});

describe.each(storeKinds.filter((kind) => kind !== "memory:"))("registries that share %s", (kind) => {
  test("report each other's changes, with the same ids", async () => {
    const urls = await registriesOn(kind, 2);
    const [one = "", other = ""] = urls;
    const readers = await Promise.all(urls.map((url) => listenTo(url)));
    await put(one, "alice");
    await put(other, "bob");
    for (const reader of readers) await reader.shows({ alice: HERE, bob: HERE });
    await remove(other, "alice");
    for (const reader of readers) await reader.shows({ bob: HERE });
    expect(readers[0]?.lastId()).toBe(readers[1]?.lastId());
  });

  test("let a reader resume at another one without the list", async () => {
    const [one = "", other = ""] = await registriesOn(kind, 2);
    await put(one, "alice");
    const first = await listenTo(one);
    const { id } = await first.next();
    const second = await listenTo(other, id);
    await put(one, "bob");
    expect(await second.next()).toMatchObject({ type: "joined" });
  });
});

test("an id from before a restart is still valid on the same file", async () => {
  const store = await freshStore("sqlite:");
  const before = await createRegistry({ store });
  const url = await before.listen({ port: 0 });
  await put(url, "alice");
  const { id } = await (await listenTo(url)).next();
  await before.close();
  const after = await createRegistry({ store });
  afterwards(() => after.close());
  const again = await listenTo(await after.listen({ port: 0 }), id);
  await again.until(() => again.text() !== "");
  expect(again.events).toEqual([]);
});

describe("a stream of changes", () => {
  test("is neither cached nor buffered on the way", async () => {
    const { headers } = await listenTo(await registryOn("memory:"));
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
  });

  test("ends at once when the registry closes, and does not delay that", async () => {
    const registry = await createRegistry({ store: "memory:" });
    const reader = await listenTo(await registry.listen({ port: 0 }));
    await reader.next();
    const closing = registry.close();
    await reader.ended;
    await closing;
  });

  test("is refused to pages of another origin, and HEAD does not open one", async () => {
    const store = await openTestStore("memory:");
    const events = createEvents({ store });
    const url = listen(createApp({ store, events }));
    const foreign = await fetch(`${url}/v1/events`, { headers: { origin: "http://evil.example" } });
    expect(foreign.status).toBe(403);
    const head = await fetch(`${url}/v1/events`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    const post = await fetch(`${url}/v1/events`, { method: "POST" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET"]);
    expect(events.count()).toBe(0);
  });

  test("frees its place when its reader leaves", async () => {
    const store = await openTestStore("memory:");
    const events = createEvents({ store, maxStreams: 1 });
    const url = listen(createApp({ store, events }));
    for (let i = 0; i < 5; i++) {
      const reader = await listenTo(url);
      await reader.next();
      reader.close();
      while (events.count() > 0) await Bun.sleep(1);
    }
    // Some go before they are answered.
    for (let i = 0; i < 20; i++) {
      const stop = new AbortController();
      const asked = fetch(`${url}/v1/events`, { signal: stop.signal }).catch(() => undefined);
      await Promise.resolve();
      stop.abort();
      await asked;
    }
    // The last of them may still be on its way; if its place were lost, this would never end.
    while (!(await isFree(url))) await Bun.sleep(1);
    while (events.count() > 0) await Bun.sleep(1);
    const last = await listenTo(url);
    expect((await last.next()).type).toBe("users");
  });

  test("is refused with 503 and Retry-After when there are too many in all", async () => {
    const store = await openTestStore("memory:");
    const url = listen(createApp({ store, events: createEvents({ store, maxStreams: 2 }) }));
    await listenTo(url);
    await listenTo(url);
    const refused = await fetch(`${url}/v1/events`);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "60"]);
  });

  test("is refused with 429 and Retry-After when there are too many from one source other than this machine", async () => {
    const store = await openTestStore("memory:");
    const events = createEvents({ store, maxStreamsOfSource: 2 });
    const open = (source: string) => events.open(new Request("http://localhost/v1/events"), source, () => {});
    const [first] = await Promise.all([open("192.0.2.1"), open("192.0.2.1"), open("192.0.2.2")]);
    await expect(open("192.0.2.1")).rejects.toMatchObject({ code: "too-many-streams", retryAfter: 60 });
    await Promise.all([open("2001:db8::1"), open("2001:db8::2")]);
    await expect(open("2001:db8::3")).rejects.toMatchObject({ code: "too-many-streams" });
    for (let i = 0; i < 5; i++) await open("127.0.0.1");
    await first?.body?.cancel();
    await open("192.0.2.1");
  });

  test("is refused with 503 while the store is down, and works again when it is back", async () => {
    const store = await openTestStore("memory:");
    let isAway = true;
    const version = () => {
      if (isAway) throw new StoreUnavailable("The store is not responding.");
      return store.version();
    };
    const url = listen(createApp({ store: { ...store, version } }));
    expect((await fetch(`${url}/v1/events`)).status).toBe(503);
    isAway = false;
    const reader = await listenTo(url);
    await reader.next();
    isAway = true;
    await put(url, "alice");
    isAway = false;
    await reader.shows({ alice: HERE });
  });

  test("is closed when its reader stalls with 1 MB unsent; other readers miss nothing", async () => {
    const store = await openTestStore("memory:");
    const events = createEvents({ store });
    const url = listen(createApp({ store, events }));
    const cut = Promise.withResolvers<void>();
    let isStalled = true;
    const stalled = await Bun.connect({
      hostname: "127.0.0.1",
      port: Number(new URL(url).port),
      socket: {
        open: (socket) => void socket.write("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        data(socket) {
          if (isStalled) socket.pause();
        },
        close: () => cut.resolve(),
      },
    });
    afterwards(() => stalled.end());
    const reader = await listenTo(url);
    while (events.count() < 2) await Bun.sleep(1);
    const host = `${"h".repeat(60)}.`.repeat(4).slice(0, 240);
    for (let round = 1; events.count() > 1; round++) {
      for (let i = 0; i < 500; i++) store.put(`user-${i}`, { protocol: "HTTP", host, port: round });
      await reader.until(() => Object.keys(reader.users()).length === 500);
      await reader.until(() =>
        Bun.deepEquals(reader.users()["user-499"], { protocol: "HTTP", host, port: round }),
      );
    }
    await put(url, "last");
    await reader.until(() => "last" in reader.users());
    expect(Object.keys(reader.users())).toHaveLength(501);
    isStalled = false;
    stalled.resume();
    await cut.promise;
  });
});

test("the store is not watched while there are no streams", async () => {
  const store = await openStore("memory:");
  let looks = 0;
  const counted = {
    ...store,
    version: () => {
      looks++;
      return store.version();
    },
  };
  const url = listen(createApp({ store: counted }));
  await put(url, "alice");
  expect(looks).toBe(0);
  const reader = await listenTo(url);
  await reader.next();
  expect(looks).toBeGreaterThan(0);
});
