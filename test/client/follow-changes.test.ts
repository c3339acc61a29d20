/** The stream of changes as clients use it: at once, and without a plain registry noticing. */
import { describe, expect, test } from "bun:test";
import { join, type Me, type TalkEvent } from "../../src/client/index.ts";
import { followChanges } from "../../src/client/registry/follow-changes.ts";
import type { Users } from "../../src/client/registry/types.ts";
import { createRegistry, type Registry } from "../../src/registry/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { freePort } from "../helpers/port.ts";
import { start, startClient } from "../helpers/program.ts";

/** Nobody polls while a test runs. */
const NEVER = 86_400_000;
const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 9 };

async function startRegistry(port = 0): Promise<{ registry: Registry; url: string }> {
  const registry = await createRegistry({ store: "memory:" });
  afterwards(() => registry.close());
  return { registry, url: await registry.listen({ port }) };
}

async function enter(name: string, registry: string): Promise<Me> {
  const me = await join({ name, registry, port: 0, pollInterval: NEVER });
  afterwards(() => me.close());
  return me;
}

function put(url: string, user: string, address: object = HERE): Promise<Response> {
  return fetch(`${url}/v1/users/${user}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(address),
  });
}

/** The next event of a user, but for the welcome and the first list. */
async function next(me: Me): Promise<TalkEvent | undefined> {
  for await (const event of me) if (event.type !== "welcome" && event.type !== "users") return event;
  return undefined;
}

async function isListed(url: string, user: string): Promise<boolean> {
  return fetch(`${url}/v1/users/${user}`).then(
    ({ ok }) => ok,
    () => false,
  );
}

describe("whoever has joined is told at once", () => {
  test("who joins, moves and leaves", async () => {
    const { url } = await startRegistry();
    const alice = await enter("alice", url);
    await put(url, "bob");
    expect(await next(alice)).toEqual({ type: "joined", user: "bob", address: { ...HERE } });
    await put(url, "bob", { ...HERE, port: 10 });
    expect(await next(alice)).toEqual({ type: "moved", user: "bob", address: { ...HERE, port: 10 } });
    await fetch(`${url}/v1/users/bob`, { method: "DELETE" });
    expect(await next(alice)).toEqual({ type: "left", user: "bob", address: { ...HERE, port: 10 } });
  });

  test("also when several who share a process have joined, and one of them leaves", async () => {
    const { url } = await startRegistry();
    const alice = await enter("alice", url);
    const bob = await enter("bob", url);
    expect(await next(alice)).toMatchObject({ type: "joined", user: "bob" });
    await alice.close();
    expect(await next(bob)).toMatchObject({ type: "left", user: "alice" });
    await put(url, "carol");
    expect(await next(bob)).toMatchObject({ type: "joined", user: "carol" });
  });

  test("as notices of a pipe and as lines of --json", async () => {
    const { url } = await startRegistry();
    const json = start("src/client/main.ts", [
      ...["--name", "json", "--registry", url, "--port", "0", "--poll-interval", "86400", "--json"],
    ]);
    await json.sees(/"type":"users"/);
    const plain = await startClient("alice", { url }, "--poll-interval", "86400");
    await put(url, "bob");
    await plain.sees("bob joined");
    await json.sees(/^\{"type":"joined","user":"bob"/);
    await fetch(`${url}/v1/users/bob`, { method: "DELETE" });
    await plain.sees("bob left");
  });
});

describe("a registry that restarts without its list", () => {
  test("gets everybody back, and nobody is told of as leaving", async () => {
    const port = freePort();
    const before = await startRegistry(port);
    const alice = await enter("alice", before.url);
    const bob = await enter("bob", before.url);
    expect(await next(alice)).toMatchObject({ type: "joined", user: "bob" });
    const heard: TalkEvent[] = [];
    void (async () => {
      for await (const event of alice) heard.push(event);
    })();
    await before.registry.close();
    const { url } = await startRegistry(port);
    while (!(await isListed(url, "alice")) || !(await isListed(url, "bob"))) await Bun.sleep(20);
    await put(url, "carol");
    while (!heard.some((event) => event.type === "joined" && event.user === "carol")) await Bun.sleep(5);
    expect(heard.filter(({ type }) => type === "left" || type === "joined")).toEqual([
      { type: "joined", user: "carol", address: { ...HERE } },
    ]);
    void bob;
  });
});

describe("a registry of another make", () => {
  test("is asked for a stream once, and serves as ever", async () => {
    const asked: string[] = [];
    const users: Record<string, unknown> = {};
    const plain = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        asked.push(`${request.method} ${pathname}`);
        if (request.method === "POST") {
          const { user, address } = Object(await request.json());
          users[user] = address;
          return Response.json({ status: "ok" });
        }
        if (pathname.startsWith("/v1/users")) return Response.json(users);
        return new Response("no such path", { status: 404 });
      },
    });
    afterwards(() => plain.stop(true));
    const alice = await join({ name: "alice", registry: plain.url.href, port: 0, pollInterval: 50 });
    afterwards(() => alice.close());
    users.bob = HERE;
    expect(await next(alice)).toMatchObject({ type: "joined", user: "bob" });
    expect(asked.filter((line) => line.includes("events"))).toEqual(["GET /v1/events"]);
  });

  test.each([
    [
      "a page for whatever is asked",
      () => new Response("<p>hi</p>", { headers: { "content-type": "text/html" } }),
    ],
    [
      "a stream that is compressed",
      () =>
        new Response(Bun.gzipSync("data: x\n\n"), {
          headers: { "content-type": "text/event-stream", "content-encoding": "gzip" },
        }),
    ],
  ])("with %s has no stream", async (_, answer) => {
    let asked = 0;
    const odd = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch() {
        asked++;
        return answer();
      },
    });
    afterwards(() => odd.stop(true));
    const { clock, listener } = watching(odd.url.origin);
    // The answer has been read once nothing but the next try is waited for.
    while (asked === 0 || clock.untilNext() < 60_000) await Bun.sleep(1);
    for (let minute = 0; minute < 9; minute++) {
      await clock.pass(60_000);
      await Bun.sleep(1);
    }
    expect([asked, listener.lists, listener.away]).toEqual([1, [], []]);
  });
});

/** A watch whose time passes when the test says so. */
function watching(url: string, random = () => 1) {
  const clock = createFakeClock();
  const listener = {
    lists: [] as Users[],
    away: [] as string[],
    onUsers: (users: Users) => void listener.lists.push(users),
    onAway: (reason: string) => void listener.away.push(reason),
  };
  const watch = followChanges(url, listener, { clock, random });
  afterwards(() => watch.stop());
  return { clock, listener, watch };
}

/** A server of streams that the test writes. */
function streamServer() {
  const asked: { at: number; lastId: string | null }[] = [];
  const open: ReadableStreamDefaultController<string>[] = [];
  let now = () => 0;
  let refusal: (() => Response) | undefined;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      asked.push({ at: now(), lastId: request.headers.get("last-event-id") });
      if (refusal) return refusal();
      const body = new ReadableStream<string>({
        start(controller) {
          open.push(controller);
          controller.enqueue(":\nretry: 8000\n\n");
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
  });
  afterwards(() => server.stop(true));
  return {
    url: server.url.origin,
    asked,
    setClock(clock: { now(): number }) {
      now = clock.now;
    },
    refuseWith(answer: () => Response) {
      refusal = answer;
    },
    say: (text: string) => open.at(-1)?.enqueue(text),
    cut: () => open.at(-1)?.close(),
    open: () => open.length,
    async until(count: number, clock?: { pass(ms: number): Promise<void> }) {
      while (asked.length < count) {
        await clock?.pass(250);
        await Bun.sleep(1);
      }
    },
  };
}

const LIST = `event: users\nid: one\ndata: ${JSON.stringify({ bob: HERE })}\n\n`;

describe("a lost stream", () => {
  test("is asked for again within what the registry asks for, with the state that is known", async () => {
    const server = streamServer();
    const { clock, listener } = watching(server.url, () => 0.99);
    server.setClock(clock);
    await server.until(1);
    server.say(LIST);
    while (listener.lists.length === 0) await Bun.sleep(1);
    server.cut();
    await server.until(2, clock);
    expect(server.asked[1]?.lastId).toBe("one");
    expect(server.asked[1]?.at).toBeGreaterThan(7000);
    expect(server.asked[1]?.at).toBeLessThan(20_000);
    expect(listener.away).toEqual([]);
  });

  test("is asked for without a state once a poll has told of another list", async () => {
    const server = streamServer();
    const { clock, listener, watch } = watching(server.url, () => 0);
    await server.until(1);
    server.say(LIST);
    while (listener.lists.length === 0) await Bun.sleep(1);
    watch.know(new Map([["bob", HERE]]), watch.position());
    server.cut();
    await server.until(2, clock);
    watch.know(new Map(), watch.position());
    server.cut();
    await server.until(3, clock);
    expect(server.asked.map(({ lastId }) => lastId)).toEqual([null, "one", null]);
  });

  test("is given up when nothing comes for 45 s, as over a dead link", async () => {
    const server = streamServer();
    const { clock, listener } = watching(server.url, () => 0);
    server.setClock(clock);
    await server.until(1);
    server.say(LIST);
    while (listener.lists.length === 0) await Bun.sleep(1);
    await server.until(2, clock);
    expect(server.asked[1]?.at).toBeGreaterThanOrEqual(45_000);
  });

  test("is left alone for as long as the registry says", async () => {
    const server = streamServer();
    server.refuseWith(() => new Response("", { status: 429, headers: { "retry-after": "60" } }));
    const { clock } = watching(server.url, () => 0.5);
    server.setClock(clock);
    await server.until(2, clock);
    expect(server.asked[1]?.at).toBeGreaterThanOrEqual(90_000);
    expect(server.asked[1]?.at).toBeLessThan(105_000);
  });

  test("is asked for ever more seldom while it fails, and each time at a random moment", async () => {
    const server = streamServer();
    server.refuseWith(() => new Response("", { status: 502 }));
    const { clock } = watching(server.url, () => 0.999);
    server.setClock(clock);
    await server.until(6, clock);
    const waits = server.asked.slice(1).map(({ at }, i) => at - (server.asked[i]?.at ?? 0));
    for (const [i, wait] of waits.slice(0, 2).entries()) expect(waits[i + 1]).toBeGreaterThan(wait * 1.2);
  });
});

describe("a stream", () => {
  test("that tells what nobody knows goes on, and what it tells else is heard", async () => {
    const server = streamServer();
    const { listener } = watching(server.url);
    await server.until(1);
    const odd = [
      "event: ping\ndata: x\n\n",
      "data: {}\n\n",
      "event: left!\ndata: {}\n\n",
      "event: Users\ndata: {}\n\n",
    ];
    server.say(LIST + odd.join(""));
    server.say(`event: joined\nid: two\ndata: ${JSON.stringify({ user: "carol", address: HERE })}\n\n`);
    while (!listener.lists.at(-1)?.has("carol")) await Bun.sleep(1);
    expect([...(listener.lists.at(-1)?.keys() ?? [])]).toEqual(["bob", "carol"]);
    expect([server.asked.length, listener.away]).toEqual([1, []]);
  });

  test.each(["event: users\ndata: [\n\n", "event: joined\ndata: {}\n\n", "event: left\ndata: 1\n\n"])(
    "that is malformed each time is asked for ever more seldom: %j",
    async (malformed) => {
      const server = streamServer();
      const { clock, listener } = watching(server.url, () => 0.999);
      server.setClock(clock);
      for (let count = 1; count < 5; count++) {
        await server.until(count, clock);
        while (server.open() < count) await Bun.sleep(1);
        server.say(LIST);
        server.say(malformed);
      }
      await server.until(5, clock);
      const waits = server.asked.slice(1).map(({ at }, i) => at - (server.asked[i]?.at ?? 0));
      expect(waits[1]).toBeGreaterThan(Number(waits[0]) * 1.2);
      expect(waits[3]).toBeGreaterThan(28_000);
      expect(listener.away).toEqual([]);
    },
  );

  test.each(["€", "two words", "x".repeat(100_000), "\u0001"])(
    "whose id fits into no header begins anew when it is lost, and nobody is told that the registry is away",
    async (id) => {
      const server = streamServer();
      const { clock, listener } = watching(server.url, () => 0);
      await server.until(1);
      server.say(LIST.replace("one", id));
      while (listener.lists.length === 0) await Bun.sleep(1);
      server.cut();
      await server.until(2, clock);
      expect([server.asked[1]?.lastId, listener.away]).toEqual([null, []]);
    },
  );

  test("is newer than a list that was asked for before it told of a change", async () => {
    const app = await startRegistry();
    await put(app.url, "carol");
    let held: PromiseWithResolvers<void> | undefined;
    const asked = Promise.withResolvers<void>();
    const slow = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 0,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        const answer = await fetch(app.url + pathname, {
          method: request.method,
          headers: request.headers,
          body: request.method === "GET" ? null : await request.bytes(),
        });
        if (request.method !== "GET" || pathname !== "/v1/users/" || !held) return answer;
        const list = answer.status === 304 ? null : await answer.text();
        asked.resolve();
        await held.promise;
        return new Response(list, { status: answer.status });
      },
    });
    afterwards(() => slow.stop(true));
    const alice = await enter("alice", slow.url.href);
    held = Promise.withResolvers();
    const answered = alice.users();
    await asked.promise;
    await fetch(`${app.url}/v1/users/carol`, { method: "DELETE" });
    expect(await next(alice)).toMatchObject({ type: "left", user: "carol" });
    held.resolve();
    expect([...(await answered).keys()]).toEqual(["alice"]);
    await put(app.url, "dave");
    expect(await next(alice)).toMatchObject({ type: "joined", user: "dave" });
  });
});
