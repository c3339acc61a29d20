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
    watch.know(new Map([["bob", HERE]]));
    server.cut();
    await server.until(2, clock);
    watch.know(new Map());
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
