import { describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { transports } from "../../src/client/transports/index.ts";
import type { Outcome } from "../../src/client/transports/types.ts";
import { encodeMessage } from "../../src/core/message.ts";
import type { Address, Message, Protocol } from "../../src/core/schemas.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { createInbox } from "../helpers/inbox.ts";

const HOST = "127.0.0.1";
const protocols: Protocol[] = ["HTTP", "WEBSOCKET", "UDP"];

/** What counts as "it went well" differs: only UDP can never know. */
const GOOD: Record<Protocol, Outcome> = {
  HTTP: { type: "delivered" },
  WEBSOCKET: { type: "delivered" },
  UDP: { type: "sent" },
};

async function listen(protocol: Protocol, host = HOST) {
  const inbox = createInbox<Message>();
  const listener = await transports[protocol].listen({
    host,
    port: 0,
    onMessage: inbox.push,
    advertised: (port): Address => ({ protocol, host, port }),
    registryIps: [HOST],
  });
  afterwards(listener.close);
  return { inbox, port: listener.port, close: listener.close };
}

function sender(protocol: Protocol) {
  const made = transports[protocol].createSender();
  afterwards(made.close);
  return made;
}

/** Hands raw bytes to a listener as a peer of another make would, and gives its answer, if the protocol has one. */
const raw: Record<Protocol, (port: number, body: string | Uint8Array<ArrayBuffer>) => Promise<unknown>> = {
  async HTTP(port, body) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`http://${HOST}:${port}/v1/message`, { method: "POST", headers, body });
    return answer.json();
  },
  async WEBSOCKET(port, body) {
    const socket = new WebSocket(`ws://${HOST}:${port}/v1/ws/message`);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    socket.onopen = () => socket.send(body);
    socket.onmessage = ({ data }) => resolve(data === "OK" ? { status: "ok" } : JSON.parse(data));
    socket.onclose = ({ code }) => resolve({ closed: code });
    afterwards(() => socket.terminate());
    return promise;
  },
  async UDP(port, body) {
    const socket = await Bun.udpSocket({ hostname: HOST });
    socket.send(body, port, HOST);
    socket.close();
    return undefined;
  },
};

const bytes = (...values: number[]) => new Uint8Array(values);

const BAD_BODIES: [string, string | Uint8Array<ArrayBuffer>][] = [
  ["nothing", ""],
  ["no JSON", "hello"],
  ["half of it", '{"user":"alice","text":"hel'],
  ["null", "null"],
  ["an array", '["alice","hello"]'],
  ["a string", '"hello"'],
  ["no text", '{"user":"alice"}'],
  ["no user", '{"text":"hello"}'],
  ["a key too many", '{"user":"alice","text":"hello","time":1}'],
  ["a text that is a number", '{"user":"alice","text":1}'],
  ["a text that is null", '{"user":"alice","text":null}'],
  ["an empty user", '{"user":"","text":"hello"}'],
  ["an illegal user", '{"user":"al ice","text":"hello"}'],
  ["a user that would break the line", '{"user":"alice\\n","text":"hello"}'],
  ["broken UTF-8", bytes(0x22, 0xff, 0xfe, 0x22)],
  ["deep nesting", "[".repeat(30_000)],
];

describe.each(protocols)("%s", (protocol) => {
  test("takes what it sends", async () => {
    const { inbox, port } = await listen(protocol);
    const outcome = await sender(protocol).send(
      { host: HOST, port },
      encodeMessage({ user: "alice", text: "hello" }),
    );
    expect(await inbox.next()).toEqual({ user: "alice", text: "hello" });
    expect(outcome).toEqual(GOOD[protocol]);
  });

  test.each(["", "名 😀 \u0000 \u2028 \ud800", '"quotes" and \\', "line\nbreak", "__proto__"])(
    "carries the text %j as it is",
    async (text) => {
      const { inbox, port } = await listen(protocol);
      await sender(protocol).send({ host: HOST, port }, encodeMessage({ user: "__proto__", text }));
      expect(await inbox.next()).toEqual({ user: "__proto__", text });
    },
  );

  test("carries a message of 64,000 bytes", async () => {
    const { inbox, port } = await listen(protocol);
    const text = "x".repeat(64_000 - encodeMessage({ user: "alice", text: "" }).length);
    await sender(protocol).send({ host: HOST, port }, encodeMessage({ user: "alice", text }));
    expect((await inbox.next()).text).toBe(text);
  });

  test("works over IPv6", async () => {
    const { inbox, port } = await listen(protocol, "::1");
    await sender(protocol).send({ host: "::1", port }, encodeMessage({ user: "alice", text: "hello" }));
    expect((await inbox.next()).text).toBe("hello");
  });

  test("reaches a host by its name", async () => {
    const { inbox, port } = await listen(protocol);
    await sender(protocol).send({ host: "localhost", port }, encodeMessage({ user: "alice", text: "hello" }));
    expect((await inbox.next()).text).toBe("hello");
  });

  test.each(BAD_BODIES)("refuses %s and goes on", async (_, body) => {
    const { inbox, port } = await listen(protocol);
    const answer = await raw[protocol](port, body);
    if (protocol !== "UDP")
      expect(answer).toEqual({ status: "error", message: expect.stringMatching(/^[^\n]+\.$/) });
    await raw[protocol](port, '{"user":"alice","text":"still there?"}');
    expect(await inbox.next()).toEqual({ user: "alice", text: "still there?" });
  });

  test("says that a closed port refuses, and is the quicker for it", async () => {
    const { port, close } = await listen(protocol);
    await close();
    const outcome = await sender(protocol).send({ host: HOST, port }, "{}");
    const reason = { HTTP: "connection refused", WEBSOCKET: "connection refused", UDP: "its port is closed" };
    expect(outcome).toEqual({ type: "failed", reason: reason[protocol], absent: true });
  });

  test("says that a host has no address", async () => {
    const outcome = await sender(protocol).send({ host: "no.such.host.invalid", port: 1 }, "{}");
    // Where there is no name server, nobody can tell that.
    expect(outcome).toEqual({
      type: "failed",
      reason: expect.stringMatching(/no such host|cannot be looked up/),
      absent: true,
    });
  });

  test("reaches a peer that was away and is back on the same port", async () => {
    const first = await listen(protocol);
    const { send } = sender(protocol);
    await send({ host: HOST, port: first.port }, encodeMessage({ user: "alice", text: "one" }));
    await first.close();
    await send({ host: HOST, port: first.port }, encodeMessage({ user: "alice", text: "lost" }));
    const inbox = createInbox<Message>();
    const again = await transports[protocol].listen({
      host: HOST,
      port: first.port,
      onMessage: inbox.push,
      advertised: (port) => ({ protocol, host: HOST, port }),
      registryIps: [],
    });
    afterwards(again.close);
    await send({ host: HOST, port: first.port }, encodeMessage({ user: "alice", text: "two" }));
    expect((await inbox.next()).text).toBe("two");
  });

  test("cannot listen on a port in use, and says which option chooses another", async () => {
    const { port } = await listen(protocol);
    const again = transports[protocol].listen({
      host: HOST,
      port,
      onMessage() {},
      advertised: () => ({ protocol, host: HOST, port }),
      registryIps: [],
    });
    expect(again).rejects.toThrow(`port ${port} is in use; choose another with --port`);
  });
});

/** A TCP server that does with each connection what it is told. */
async function tcpPeer(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    onConnection(socket);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, HOST, resolve);
  await promise;
  afterwards(() => server.close());
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

describe("HTTP", () => {
  test("knows GET /v1/health, and what else it does not take", async () => {
    const { port } = await listen("HTTP");
    const base = `http://${HOST}:${port}`;
    expect(await (await fetch(`${base}/v1/health`)).json()).toEqual({ status: "ok" });
    expect((await fetch(`${base}/v1/users`)).status).toBe(404);
    const wrong = await fetch(`${base}/v1/message`);
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
    expect((await fetch(`${base}/v1/message`, { method: "POST", body: "{}" })).status).toBe(415);
    const headers = { "content-type": "application/json" };
    const gzip = { ...headers, "content-encoding": "gzip" };
    const packed = Bun.gzipSync('{"user":"bob","text":"hello"}');
    const compressed = await fetch(`${base}/v1/message`, { method: "POST", headers: gzip, body: packed });
    expect([compressed.status, compressed.headers.get("accept-encoding")]).toEqual([415, "identity"]);
    const large = await fetch(`${base}/v1/message`, { method: "POST", headers, body: "x".repeat(65_537) });
    expect(large.status).toBe(413);
  });

  test("counts an error status as not delivered", async () => {
    const server = Bun.serve({ hostname: HOST, port: 0, fetch: () => new Response("no", { status: 500 }) });
    afterwards(() => server.stop(true));
    const outcome = await sender("HTTP").send({ host: HOST, port: server.port ?? 0 }, "{}");
    expect(outcome).toEqual({ type: "failed", reason: "it answered 500" });
  });

  test("follows no redirect", async () => {
    const { inbox, port } = await listen("HTTP");
    const redirect = () => Response.redirect(`http://${HOST}:${port}/v1/message`, 307);
    const server = Bun.serve({ hostname: HOST, port: 0, fetch: redirect });
    afterwards(() => server.stop(true));
    const outcome = await sender("HTTP").send(
      { host: HOST, port: server.port ?? 0 },
      '{"user":"a","text":""}',
    );
    expect(outcome).toEqual({ type: "failed", reason: "it answered 307" });
    expect(inbox.size()).toBe(0);
  });

  test("does not know what became of a message when the peer hangs", async () => {
    const port = await tcpPeer(() => {});
    const outcome = await sender("HTTP").send({ host: HOST, port }, "{}");
    expect(outcome).toEqual({ type: "unanswered", seconds: 5 });
  });

  test("is content with the status of an answer that breaks off", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{";
    const port = await tcpPeer((socket) => socket.on("data", () => socket.end(answer)));
    expect(await sender("HTTP").send({ host: HOST, port }, "{}")).toEqual({ type: "delivered" });
  });

  test("nor when the peer closes midway", async () => {
    const port = await tcpPeer((socket) => socket.on("data", () => socket.destroy()));
    const outcome = await sender("HTTP").send({ host: HOST, port }, "{}");
    expect(outcome).toEqual({ type: "broken" });
  });
});

describe("WEBSOCKET", () => {
  /** A WebSocket peer with manners of its own. */
  function peer(message: (socket: Bun.ServerWebSocket<undefined>, frame: string | Buffer) => void): number {
    const server = Bun.serve({
      hostname: HOST,
      port: 0,
      fetch: (request, server) => (server.upgrade(request, { data: undefined }) ? undefined : new Response()),
      websocket: { data: undefined, message },
    });
    afterwards(() => server.stop(true));
    return server.port ?? 0;
  }

  test("answers each frame in order, the good and the bad", async () => {
    const { port } = await listen("WEBSOCKET");
    const answers = createInbox<string>();
    const socket = new WebSocket(`ws://${HOST}:${port}/v1/ws/message`);
    afterwards(() => socket.terminate());
    socket.onmessage = ({ data }) => answers.push(data);
    socket.onopen = () => {
      for (const frame of ['{"user":"a","text":""}', "bad", '{"user":"a","text":""}']) socket.send(frame);
    };
    expect(await answers.next()).toBe("OK");
    expect(await answers.next()).toStartWith('{"status":"error","message":');
    expect(await answers.next()).toBe("OK");
  });

  test("takes a binary frame for a bad one", async () => {
    const { port } = await listen("WEBSOCKET");
    const answer = await raw.WEBSOCKET(port, new TextEncoder().encode('{"user":"a","text":""}'));
    expect(answer).toEqual({ status: "error", message: "Send text frames." });
  });

  test("closes with 1009 over 64 KiB", async () => {
    const { port } = await listen("WEBSOCKET");
    expect(await raw.WEBSOCKET(port, "x".repeat(65_537))).toEqual({ closed: 1009 });
  });

  test("tells a plain GET to upgrade", async () => {
    const { port } = await listen("WEBSOCKET");
    const answer = await fetch(`http://${HOST}:${port}/v1/ws/message`);
    expect([answer.status, answer.headers.get("upgrade")]).toEqual([426, "websocket"]);
    expect((await fetch(`http://${HOST}:${port}/`)).status).toBe(426);
    expect((await fetch(`http://${HOST}:${port}/elsewhere`)).status).toBe(404);
  });

  test("takes silence for sent", async () => {
    const port = peer(() => {});
    expect(await sender("WEBSOCKET").send({ host: HOST, port }, "{}")).toEqual({ type: "sent" });
  });

  test("gives a late answer to no other frame", async () => {
    let frames = 0;
    const port = peer((socket) => {
      // Silent until the second frame: then what it owes, first for the first.
      if (++frames === 2)
        for (const answer of ["OK", '{"status":"error","message":"no"}']) socket.send(answer);
    });
    const { send } = sender("WEBSOCKET");
    expect(await send({ host: HOST, port }, "{}")).toEqual({ type: "sent" });
    expect(await send({ host: HOST, port }, "{}")).toEqual({ type: "failed", reason: "no" });
  });

  test("takes a peer that reads nothing for gone, and opens another connection", async () => {
    let connections = 0;
    const port = await tcpPeer((socket) =>
      socket.once("data", (head) => {
        connections++;
        const key = /sec-websocket-key: (\S+)/i.exec(String(head))?.[1];
        // RFC 6455 §4.2.2.
        const hash = new Bun.CryptoHasher("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
        const upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
        socket.write(`${upgrade}Sec-WebSocket-Accept: ${hash.digest("base64")}\r\n\r\n`);
        socket.pause();
      }),
    );
    const { send } = sender("WEBSOCKET");
    const flood = () =>
      Promise.all(Array.from({ length: 300 }, () => send({ host: HOST, port }, "x".repeat(60_000))));
    const outcomes = new Set((await flood()).map(({ type }) => type));
    expect([...outcomes]).toEqual(["unanswered"]);
    await flood();
    expect(connections).toBe(2);
  });

  test("takes a peer's error for not delivered, each for its own frame", async () => {
    const port = peer((socket, frame) =>
      socket.send(frame === "good" ? "OK" : '{"status":"error","message":"no"}'),
    );
    const { send } = sender("WEBSOCKET");
    const outcomes = await Promise.all(
      ["good", "bad", "good"].map((body) => send({ host: HOST, port }, body)),
    );
    expect(outcomes).toEqual([
      { type: "delivered" },
      { type: "failed", reason: "no" },
      { type: "delivered" },
    ]);
  });

  test("hangs up on a peer whose answer is longer than any of ours", async () => {
    const closed = Promise.withResolvers<void>();
    const server = Bun.serve({
      hostname: HOST,
      port: 0,
      fetch: (request, server) => (server.upgrade(request, { data: undefined }) ? undefined : new Response()),
      websocket: {
        data: undefined,
        message: (socket) => void socket.send("x".repeat(5000)),
        close: () => closed.resolve(),
      },
    });
    afterwards(() => server.stop(true));
    const outcome = await sender("WEBSOCKET").send({ host: HOST, port: server.port ?? 0 }, "{}");
    expect(outcome).toEqual({ type: "broken" });
    await closed.promise;
  });

  test("does not know what became of frames whose connection broke", async () => {
    const port = peer((socket) => socket.terminate());
    const outcome = await sender("WEBSOCKET").send({ host: HOST, port }, "{}");
    expect(outcome).toEqual({ type: "broken" });
  });

  test("is not delivered to what takes no WebSocket", async () => {
    const server = Bun.serve({ hostname: HOST, port: 0, fetch: () => new Response("no") });
    afterwards(() => server.stop(true));
    const outcome = await sender("WEBSOCKET").send({ host: HOST, port: server.port ?? 0 }, "{}");
    expect(outcome).toEqual({ type: "failed", reason: "it takes no WebSocket connection" });
  });

  test("is not delivered to what never finishes the handshake", async () => {
    const port = await tcpPeer(() => {});
    const outcome = await sender("WEBSOCKET").send({ host: HOST, port }, "{}");
    expect(outcome).toEqual({ type: "failed", reason: "no connection in 3 s", absent: true });
  });
});

describe("UDP", () => {
  /** A registry's side of a probe: a socket, and what arrives there. */
  async function prober() {
    const inbox = createInbox<string>();
    const socket = await Bun.udpSocket({
      hostname: HOST,
      socket: { data: (_, datagram) => inbox.push(datagram.toString()), error() {} },
    });
    afterwards(() => socket.close());
    return { socket, inbox };
  }

  const probe = (id: string, host: string, port: number) =>
    encodeMessage({ user: "healthCheck", text: JSON.stringify({ host, port, id }) });

  test("answers a probe in its own envelope, and never at greater length", async () => {
    const { inbox: messages, port } = await listen("UDP");
    const { socket, inbox } = await prober();
    const id = crypto.randomUUID();
    socket.send(probe(id, HOST, socket.port), port, HOST);
    expect(await inbox.next()).toBe(probe(id, HOST, port));
    // Ours would be longer: as a number the id takes four bytes less, and what the probe named fits in any case.
    socket.send(probe("-33982522070360259", "0.0.0.0", socket.port), port, HOST);
    expect(await inbox.next()).toBe(probe("-33982522070360259", HOST, port).replace(/\\"(-\d+)\\"/, "$1"));
    const short = probe("1", "::", socket.port);
    socket.send(short, port, HOST);
    expect(await inbox.next()).toBe(short);
    const shorter = short.replace(/\\"1\\"/, "1");
    socket.send(shorter, port, HOST);
    expect(await inbox.next()).toBe(shorter);
    expect(messages.size()).toBe(0);
  });

  test("answers id-checker with the bare id, to where it came from", async () => {
    const { port } = await listen("UDP");
    const { socket, inbox } = await prober();
    const id = crypto.randomUUID();
    socket.send(`id-checker ${id}`, port, HOST);
    expect(await inbox.next()).toBe(id);
  });

  test("answers no probe towards a third address", async () => {
    const { port } = await listen("UDP");
    const { socket, inbox } = await prober();
    const victim = createInbox<string>();
    const third = await Bun.udpSocket({
      hostname: "127.0.0.2",
      socket: { data: (_, datagram) => victim.push(datagram.toString()) },
    });
    afterwards(() => third.close());
    socket.send(probe("aimed", "127.0.0.2", third.port), port, HOST);
    socket.send(probe("honest", HOST, socket.port), port, HOST);
    expect(await inbox.next()).toContain("honest");
    // Datagrams to one socket keep their order: what was answered before would be in front of this.
    socket.send("last", third.port, "127.0.0.2");
    expect(await victim.next()).toBe("last");
  });

  test("answers at most 20 probes a second", async () => {
    const { port } = await listen("UDP");
    const { socket, inbox } = await prober();
    for (let i = 0; i < 50; i++) socket.send(`id-checker ${i}`, port, HOST);
    for (let i = 0; i < 20; i++) expect(await inbox.next()).toBe(String(i));
    // The listener reads in order: once it has shown this message, it has passed over the other 30.
    const { inbox: messages, port: other } = await listen("UDP");
    socket.send('{"user":"alice","text":"done"}', other, HOST);
    await messages.next();
    expect(inbox.size()).toBe(0);
  });

  test("answers one id three times, so that two clients pointed at each other do not loop", async () => {
    const { port } = await listen("UDP");
    const { socket, inbox } = await prober();
    // What the other client would send back: the answer, which looks like a probe.
    for (let i = 0; i < 10; i++) socket.send(probe("loop", HOST, socket.port), port, HOST);
    for (let i = 0; i < 3; i++) expect(await inbox.next()).toContain("loop");
    socket.send(probe("last", HOST, socket.port), port, HOST);
    expect(await inbox.next()).toContain("last");
  });

  test("a message of healthCheck that is no probe is a message", async () => {
    const { inbox, port } = await listen("UDP");
    for (const text of ["hello", "{}", '{"host":"h","port":0,"id":"x"}', '{"host":"h","port":1}', "[1]"]) {
      await raw.UDP(port, encodeMessage({ user: "healthCheck", text }));
      expect(await inbox.next()).toEqual({ user: "healthCheck", text });
    }
  });

  test("one closed port does not cost another peer its message", async () => {
    const alive = await listen("UDP");
    const dead = await listen("UDP");
    await dead.close();
    const { send } = sender("UDP");
    const outcomes = [];
    for (let i = 0; i < 10; i++) {
      outcomes.push(send({ host: HOST, port: dead.port }, "{}"));
      outcomes.push(
        send({ host: HOST, port: alive.port }, encodeMessage({ user: "alice", text: String(i) })),
      );
    }
    for (let i = 0; i < 10; i++) expect((await alive.inbox.next()).text).toBe(String(i));
    const types = (await Promise.all(outcomes)).map(({ type }) => type);
    expect(types).toEqual(Array.from({ length: 10 }, () => ["failed", "sent"] as const).flat());
  });
});
