/** The registry checks real clients: processes, on all three protocols. */
import { describe, expect, test } from "bun:test";
import { afterwards } from "../helpers/afterwards.ts";
import { createInbox } from "../helpers/inbox.ts";
import { listed, type Program, start, startClient, startRegistry } from "../helpers/program.ts";

const HOST = "127.0.0.1";
const QUICK = ["--check-interval", "0.2", "--check-window", "1"];
const protocols = ["HTTP", "WEBSOCKET", "UDP"] as const;

function put(registry: { url: string }, user: string, address: object): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(`${registry.url}/v1/users/${user}`, { method: "PUT", headers, body: JSON.stringify(address) });
}

async function rounds(registry: Program, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await registry.sees(/ checked (?:1 user|\d+ users) in /);
}

test("three live clients, one per protocol, survive 20 rounds", async () => {
  const registry = await startRegistry(...QUICK);
  for (const protocol of protocols) await startClient(protocol, registry, "--protocol", protocol);
  await rounds(registry, 20);
  expect(Object.keys(await listed(registry)).sort()).toEqual([...protocols].sort());
  expect(registry.lines.filter((line) => line.includes("removed"))).toEqual([]);
});

describe.each(protocols)("a client on %s", (protocol) => {
  test("that was killed with kill -9 is removed, and the others stay", async () => {
    const registry = await startRegistry(...QUICK);
    await startClient("alice", registry);
    const bob = await startClient("bob", registry, "--protocol", protocol);
    bob.kill("SIGKILL");
    await registry.sees(/ removed bob, who refuses connections; last seen \d+\.\d s ago$/);
    expect(Object.keys(await listed(registry))).toEqual(["alice"]);
  });

  test("that is suspended with SIGSTOP is removed for its silence", async () => {
    const registry = await startRegistry(...QUICK);
    await startClient("alice", registry);
    const bob = await startClient("bob", registry, "--protocol", protocol);
    bob.kill("SIGSTOP");
    await registry.sees(/ removed bob, who did not answer; last seen \d+\.\d s ago$/);
    expect(Object.keys(await listed(registry))).toEqual(["alice"]);
  });
});

test("a registry suspended with SIGSTOP for longer than the window removes no live user", async () => {
  const registry = await startRegistry(...QUICK);
  for (const protocol of protocols) await startClient(protocol, registry, "--protocol", protocol);
  await rounds(registry, 1);
  registry.kill("SIGSTOP");
  // Time has to pass for the stopped process; nothing else tells that it has.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  registry.kill("SIGCONT");
  await rounds(registry, 4);
  expect(Object.keys(await listed(registry))).toHaveLength(3);
});

describe("a probe over UDP", () => {
  async function peer(
    answer: (probe: { host: string; port: number; id: string }, reply: (text: string) => void) => void,
  ) {
    const probes = createInbox<{ host: string; port: number; id: string }>();
    const socket = await Bun.udpSocket({
      hostname: HOST,
      socket: {
        data(socket, datagram) {
          const text = datagram.toString();
          // Whoever stays silent is asked in the other form as well; this peer does not know it.
          if (text.startsWith("id-checker ")) return;
          const message = JSON.parse(text);
          expect(message.user).toBe("healthCheck");
          const probe = JSON.parse(message.text);
          probes.push(probe);
          answer(probe, (text) => socket.send(text, probe.port, probe.host));
        },
        error() {},
      },
    });
    afterwards(() => socket.close());
    return { port: socket.port, probes };
  }

  test.each<[string, (id: string) => string]>([
    [
      "the envelope, with an address of its own",
      (id) => JSON.stringify({ user: "healthCheck", text: JSON.stringify({ host: "h", port: 1, id }) }),
    ],
    ["the bare id", (id) => id],
    ["the id somewhere", (id) => `I am well, ${id}, thank you`],
    [
      "an envelope whose writer escapes quotes",
      (id) => `{"user":"healthCheck","text":"\\u0022${id}\\u0022"}`,
    ],
  ])("may be answered with %s", async (_, answer) => {
    const registry = await startRegistry(...QUICK);
    const { port } = await peer(({ id }, reply) => reply(answer(id)));
    await put(registry, "kotlin", { protocol: "UDP", host: HOST, port });
    await rounds(registry, 6);
    expect(Object.keys(await listed(registry))).toEqual(["kotlin"]);
  });

  test("has an id of 128 random bits, used once, and a reply address", async () => {
    const registry = await startRegistry(...QUICK);
    const { port, probes } = await peer(({ id }, reply) => reply(id));
    await put(registry, "kotlin", { protocol: "UDP", host: HOST, port });
    const seen = [await probes.next(), await probes.next(), await probes.next()];
    for (const probe of seen)
      expect(probe).toEqual({
        host: HOST,
        port: seen[0]?.port ?? 0,
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
    expect(new Set(seen.map(({ id }) => id)).size).toBe(3);
  });

  test("is not answered by another's id", async () => {
    const registry = await startRegistry(...QUICK);
    const { port } = await peer((_, reply) => reply("0".repeat(32)));
    await put(registry, "mallory", { protocol: "UDP", host: HOST, port });
    await registry.sees(/ removed mallory, who did not answer/);
  });
});

describe("a probe over HTTP", () => {
  async function registered(fetch: (request: Request) => Response) {
    const registry = await startRegistry(...QUICK);
    const server = Bun.serve({ hostname: HOST, port: 0, fetch });
    afterwards(() => server.stop(true));
    await put(registry, "bob", { protocol: "HTTP", host: HOST, port: server.port });
    return registry;
  }

  test("requests /v1/health, and accepts any 2xx", async () => {
    const registry = await registered(({ url, method }) => {
      const asked = method === "GET" && new URL(url).pathname === "/v1/health";
      return new Response("fine, thank you", { status: asked ? 203 : 500 });
    });
    await rounds(registry, 3);
    expect(Object.keys(await listed(registry))).toEqual(["bob"]);
  });

  test("counts any status but 2xx as a refusal, and follows no redirect", async () => {
    const asked: string[] = [];
    const registry = await registered(({ url }) => {
      asked.push(new URL(url).pathname);
      return Response.redirect("/elsewhere");
    });
    await registry.sees(/ removed bob, who refuses connections/);
    expect(new Set(asked)).toEqual(new Set(["/v1/health"]));
  });

  test("does not read the body, so that an endless one cannot delay it", async () => {
    let sent = 0;
    const registry = await registered(() => {
      const endless = new ReadableStream({
        pull(controller) {
          sent += 65_536;
          controller.enqueue(new Uint8Array(65_536));
        },
      });
      return new Response(endless);
    });
    await rounds(registry, 3);
    expect(Object.keys(await listed(registry))).toEqual(["bob"]);
    expect(sent).toBeLessThan(50_000_000);
  });
});

describe("the log", () => {
  test("reports registrations, updates and removals on stderr, safe to print", async () => {
    const registry = await startRegistry("--open");
    const alice = await startClient("alice", registry);
    await registry.sees(/^\d{4}-\d\d-\d\dT[\d:.]+Z registered alice at http:\/\/127\.0\.0\.1:\d+$/);
    await put(registry, "alice", { protocol: "UDP", host: HOST, port: 1 });
    await registry.sees(/Z updated alice at udp:\/\/127\.0\.0\.1:1$/);
    await fetch(`${registry.url}/v1/users/alice`, { method: "DELETE" });
    await registry.sees(/Z removed alice, who left$/);
    alice.kill("SIGKILL");
  });

  test("--quiet silences it", async () => {
    const registry = await startRegistry("--quiet", ...QUICK);
    await put(registry, "bob", { protocol: "UDP", host: HOST, port: 1 });
    registry.kill("SIGTERM");
    expect(await registry.exited).toBe(0);
    expect(registry.lines.filter((line) => /bob|checked/.test(line))).toEqual([]);
  });
});

describe("a client", () => {
  const often = ["--poll-interval", "0.2"];

  test("reports by itself who joined, moved and left", async () => {
    const registry = await startRegistry();
    const alice = await startClient("alice", registry, ...often);
    await put(registry, "carol", { protocol: "UDP", host: HOST, port: 1 });
    await alice.sees("carol joined");
    await put(registry, "carol", { protocol: "UDP", host: HOST, port: 2 });
    await alice.sees("carol moved");
    await fetch(`${registry.url}/v1/users/carol`, { method: "DELETE" });
    await alice.sees("carol left");
    expect(alice.lines).toHaveLength(5);
  });

  test("registers again when the registry has lost it", async () => {
    const registry = await startRegistry("--open");
    await startClient("alice", registry, ...often);
    const before = await listed(registry);
    await fetch(`${registry.url}/v1/users/alice`, { method: "DELETE" });
    await registry.sees(/ removed alice/);
    await registry.sees(/ registered alice/);
    expect(await listed(registry)).toEqual(before);
  });

  test("warns once when its name points elsewhere, and does not take it back", async () => {
    const registry = await startRegistry("--open");
    const alice = await startClient("alice", registry, ...often);
    const elsewhere = { protocol: "UDP", host: "10.0.0.5", port: 3000 };
    await put(registry, "alice", elsewhere);
    await alice.sees("warning: alice is registered at udp://10.0.0.5:3000 now, so messages to you go there");
    await put(registry, "bob", elsewhere);
    await alice.sees("bob joined");
    expect(alice.lines.filter((line) => line.startsWith("warning"))).toHaveLength(1);
    expect(await listed(registry)).toEqual({ alice: elsewhere, bob: elsewhere });
  });

  test("keeps chatting while the registry is down, and registers again when it is back, empty", async () => {
    const registry = await startRegistry();
    const { port } = new URL(registry.url);
    const alice = await startClient("alice", registry, ...often);
    const bob = await startClient("bob", registry, "--protocol", "UDP", ...often);
    alice.type(":update", ":user bob");
    await alice.sees(/^your messages go to bob/);
    registry.kill("SIGKILL");
    for (const client of [alice, bob]) {
      await client.sees("the registry does not answer; the chat goes on with the known list");
    }
    alice.type("still there?");
    await bob.sees("alice: still there?");
    const second = start("src/registry/main.ts", ["--port", port, "--store", "memory:"]);
    for (const client of [alice, bob]) await client.sees("the registry is back");
    await second.sees(/ registered (alice|bob)/);
    await second.sees(/ registered (alice|bob)/);
    expect(Object.keys(await listed(registry)).sort()).toEqual(["alice", "bob"]);
    const away = alice.lines.filter((line) => line.startsWith("the registry does not answer"));
    expect(away).toHaveLength(1);
  });

  test("sends If-None-Match, so that an unchanged list is answered with 304", async () => {
    const registry = await startRegistry();
    const statuses = createInbox<number>();
    const proxy = Bun.serve({
      hostname: HOST,
      port: 0,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        const answer = await fetch(new Request(registry.url + pathname, request));
        if (request.method === "GET" && pathname === "/v1/users/") statuses.push(answer.status);
        return answer;
      },
    });
    afterwards(() => proxy.stop(true));
    await startClient("alice", { url: `http://${HOST}:${proxy.port}` }, ...often);
    expect([await statuses.next(), await statuses.next(), await statuses.next()]).toEqual([200, 304, 304]);
  });
});

test("clients behind a network that loses, delays, duplicates and reorders datagrams stay registered", async () => {
  const run = start("scripts/checks/loss.ts", ["10"]);
  await run.sees("removed in 10 rounds of 3 clients: 0");
  expect(await run.exited).toBe(0);
});
