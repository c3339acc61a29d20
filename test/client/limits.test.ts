/** What a client's listeners refuse, and what they take all the same. */
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { createConnectionLimit } from "../../src/client/transports/connection-limit.ts";
import { transports } from "../../src/client/transports/index.ts";
import { createTokenBucket } from "../../src/core/limits/token-bucket.ts";
import type { Message, Protocol } from "../../src/core/schemas.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { createInbox } from "../helpers/inbox.ts";
import { listed, startClient, startRegistry } from "../helpers/program.ts";
import { livesFor, slowTalkers } from "../helpers/slow.ts";

const HOST = "127.0.0.1";
const protocols: Protocol[] = ["HTTP", "WEBSOCKET", "UDP"];
const BODY = '{"user":"alice","text":"hello"}';
const JSON_TYPE = { "content-type": "application/json" };

async function listen(
  protocol: Protocol,
  options: { burst?: number; room?: number; publicHost?: string } = {},
) {
  const { burst, room = Number.POSITIVE_INFINITY, publicHost } = options;
  const inbox = createInbox<Message & { source: string }>();
  const listener = await transports[protocol].listen({
    host: HOST,
    port: 0,
    onMessage: (message, source) => inbox.push({ ...message, source }),
    delay:
      burst === undefined
        ? () => (inbox.size() < room ? 0 : 1000)
        : createTokenBucket({ perSecond: 1, burst, now: () => 0 }),
    advertised: (port) => ({ protocol, host: HOST, port }),
    registryIps: [HOST],
    publicHost,
  });
  afterwards(listener.close);
  return { inbox, port: listener.port, base: `http://${HOST}:${listener.port}` };
}

function openSocket(port: number, headers?: Record<string, string>) {
  const socket = new WebSocket(`ws://${HOST}:${port}/v1/ws/message`, { headers });
  afterwards(() => socket.terminate());
  const inbox = createInbox<string>();
  socket.onmessage = ({ data }) => inbox.push(data);
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason });
  });
  const open = new Promise<boolean>((resolve) => {
    socket.onopen = () => resolve(true);
    socket.onerror = () => resolve(false);
  });
  return { socket, inbox, closed, open };
}

test.each(protocols)("%s hands over where a message came from", async (protocol) => {
  const { inbox, port } = await listen(protocol);
  const sender = transports[protocol].createSender();
  afterwards(sender.close);
  await sender.send({ host: HOST, port }, BODY);
  expect(await inbox.next()).toEqual({ user: "alice", text: "hello", source: HOST });
});

describe("who sends too fast", () => {
  test("gets 429 and when to come again over HTTP, and the health is told all the same", async () => {
    const { inbox, base } = await listen("HTTP", { burst: 2 });
    const post = () => fetch(`${base}/v1/message`, { method: "POST", headers: JSON_TYPE, body: BODY });
    expect([(await post()).status, (await post()).status]).toEqual([200, 200]);
    const refused = await post();
    expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toEqual([
      429,
      "1",
      { status: "error", message: "Too many messages at once; wait 1 s." },
    ]);
    expect((await fetch(`${base}/v1/health`)).status).toBe(200);
    expect(inbox.size()).toBe(2);
  });

  test("is closed with 1008 on a WebSocket, once the frames before are answered", async () => {
    const { inbox, port } = await listen("WEBSOCKET", { burst: 2 });
    const { socket, inbox: answers, closed, open } = openSocket(port);
    await open;
    for (let i = 0; i < 10; i++) socket.send(BODY);
    const { code, reason } = await closed;
    expect([code, reason]).toEqual([1008, "Retry-After: 1"]);
    expect([answers.size(), await answers.next(), await answers.next()]).toEqual([2, "OK", "OK"]);
    expect(inbox.size()).toBe(2);
  });

  test("is dropped over UDP, but for the probes that keep us registered", async () => {
    const { inbox, port } = await listen("UDP", { burst: 2 });
    const answers = createInbox<string>();
    const socket = await Bun.udpSocket({
      hostname: HOST,
      socket: { data: (_, datagram) => answers.push(datagram.toString()) },
    });
    afterwards(() => socket.close());
    for (let i = 0; i < 10; i++) socket.send(BODY, port, HOST);
    socket.send("id-checker 1", port, HOST);
    expect(await answers.next()).toBe("1");
    expect(inbox.size()).toBe(2);
  });

  test.each(protocols)("and waits as told loses nothing and keeps the order: %s", async (protocol) => {
    const registry = await startRegistry();
    const limit = ["--rate-limit", "800"];
    const bob = await startClient("bob", registry, "--protocol", protocol, ...limit);
    const alice = await startClient("alice", registry, ...limit);
    const texts = Array.from({ length: 3000 }, (_, i) => `message ${i}`);
    alice.type(":user bob", ...texts);
    alice.endInput();
    expect(await alice.exited).toBe(0);
    await bob.sees("alice: message 2999");
    expect(bob.lines.filter((line) => line.startsWith("alice:"))).toEqual(
      texts.map((text) => `alice: ${text}`),
    );
    expect([...bob.lines, ...alice.lines].filter((line) => /^(error|warning)/.test(line))).toEqual([]);
  });

  test("and does not care is told of", async () => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry, "--protocol", "UDP", "--rate-limit", "10");
    const port = Number(/"port":(\d+)/.exec(JSON.stringify(await listed(registry)))?.[1]);
    const socket = await Bun.udpSocket({ hostname: HOST });
    afterwards(() => socket.close());
    for (let i = 0; i < 200; i++) socket.send(BODY, port, HOST);
    await bob.sees(
      /^warning: refused 1[5-8]\d messages from 127\.0\.0\.1, which sends more than 10 a second$/,
    );
    expect(bob.lines.filter((line) => line === "alice: hello").length).toBeWithin(20, 50);
  });

  test("is taken at any speed with --rate-limit 0", async () => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry, "--rate-limit", "0");
    const port = Number(/"port":(\d+)/.exec(JSON.stringify(await listed(registry)))?.[1]);
    const url = `http://${HOST}:${port}/v1/message`;
    const answers = await Promise.all(
      Array.from({ length: 1200 }, () => fetch(url, { method: "POST", headers: JSON_TYPE, body: BODY })),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    bob.type(":exit");
    expect(await bob.exited).toBe(0);
  });
});

test("of messages that come side by side over HTTP no more are taken than there is room for", async () => {
  const { inbox, port } = await listen("HTTP", { room: 2 });
  const head = `POST /v1/message HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`;
  const answers = createInbox<string>();
  const sockets = Array.from({ length: 10 }, () => connect(port, HOST));
  for (const socket of sockets) {
    afterwards(() => socket.destroy());
    socket.once("data", (data) => answers.push(data.toString().slice(9, 12)));
    socket.write(head + BODY.slice(0, 5));
  }
  // All of them have come when this one's end is told.
  await livesFor(port, ["GET / HTTP/1.1\r\nConnection: close\r\n\r\n", ""]);
  for (const socket of sockets) socket.write(BODY.slice(5));
  const statuses = await Promise.all(sockets.map(() => answers.next()));
  expect(statuses.toSorted()).toEqual(["200", "200", ...Array(8).fill("429")]);
  expect(inbox.size()).toBe(2);
});

describe("a web page", () => {
  const foreign: Record<string, string>[] = [
    { origin: "http://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:1" },
    { host: "evil.example" },
  ];

  test.each(foreign)("that sends %j gets 403 from the HTTP listener, without effect", async (headers) => {
    const { inbox, base } = await listen("HTTP");
    for (const [method, path] of [
      ["POST", "/v1/message"],
      ["GET", "/v1/health"],
      ["OPTIONS", "/v1/message"],
      ["GET", "/"],
    ]) {
      const answer = await fetch(base + path, {
        method,
        headers: { ...JSON_TYPE, ...headers },
        ...(method === "POST" && { body: BODY }),
      });
      expect(answer.status).toBe(403);
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    expect(inbox.size()).toBe(0);
  });

  test.each(foreign)("that sends %j opens no WebSocket", async (headers) => {
    const { port, base } = await listen("WEBSOCKET");
    expect(await openSocket(port, headers).open).toBe(false);
    expect((await fetch(`${base}/v1/ws/message`, { headers })).status).toBe(403);
    expect((await fetch(base, { headers })).status).toBe(403);
  });

  test("of our own origin, a program without one, and a proxy's host pass", async () => {
    const { inbox, base } = await listen("HTTP", { publicHost: "talk.example" });
    const { port } = await listen("WEBSOCKET", { publicHost: "talk.example" });
    const own: Record<string, string>[] = [{}, { host: "db" }, { host: "talk.example" }];
    for (const headers of [...own, { origin: base }]) {
      const init = { method: "POST", headers: { ...JSON_TYPE, ...headers }, body: BODY };
      expect((await fetch(`${base}/v1/message`, init)).status).toBe(200);
    }
    expect(inbox.size()).toBe(4);
    for (const headers of [...own, { origin: `http://${HOST}:${port}` }]) {
      const { socket, inbox: answers, open } = openSocket(port, headers);
      expect(await open).toBe(true);
      socket.send(BODY);
      expect(await answers.next()).toBe("OK");
    }
  });
});

test("slow connections are closed within 15 s; an open WebSocket may be idle for longer", async () => {
  const http = await listen("HTTP");
  const webSocket = await listen("WEBSOCKET");
  const { socket, inbox: answers, open } = openSocket(webSocket.port);
  expect(await open).toBe(true);
  const lives = await Promise.all([
    ...slowTalkers("/v1/message").map((said) => livesFor(http.port, said)),
    ...slowTalkers("/v1/ws/message").map((said) => livesFor(webSocket.port, said)),
  ]);
  expect(lives.filter((ms) => ms > 15_000)).toEqual([]);
  expect(http.inbox.size()).toBe(0);
  socket.send(BODY);
  expect(await answers.next()).toBe("OK");
});

describe("of too many WebSockets", () => {
  test("of one source or in all the next is refused, and who leaves makes room", () => {
    const { admit, release } = createConnectionLimit({ perSource: 2, inAll: 4 });
    expect(["a", "a", "a", "b", "b", "c"].map(admit)).toEqual([true, true, false, true, true, false]);
    release("a");
    expect([admit("c"), admit("a")]).toEqual([true, false]);
    release("c");
    expect(admit("a")).toBe(true);
  });

  test("the 251st of a source is closed with 1013, and its sender waits until there is room", async () => {
    const { inbox, port } = await listen("WEBSOCKET");
    const others = Array.from({ length: 250 }, () => openSocket(port));
    expect((await Promise.all(others.map(({ open }) => open))).every(Boolean)).toBe(true);
    const refused = openSocket(port);
    refused.socket.addEventListener("open", () => refused.socket.send(BODY));
    expect((await refused.closed).code).toBe(1013);
    const sender = transports.WEBSOCKET.createSender();
    afterwards(sender.close);
    expect(await sender.send({ host: HOST, port }, BODY)).toEqual({ type: "deferred", ms: 1000 });
    expect(inbox.size()).toBe(0);
    others[0]?.socket.close();
    await others[0]?.closed;
    expect(await sender.send({ host: HOST, port }, BODY)).toEqual({ type: "delivered" });
    expect(inbox.size()).toBe(1);
  });
});
