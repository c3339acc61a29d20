/** What is of WebSocket alone. */
import { describe, expect, test } from "bun:test";
import { afterwards } from "../helpers/afterwards.ts";
import { createInbox } from "../helpers/inbox.ts";
import { tcpPeer } from "../helpers/tcp.ts";
import { listenOn, raw, senderOf } from "../helpers/transports.ts";

const HOST = "127.0.0.1";

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
    const { port } = await listenOn("WEBSOCKET");
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
    const { port } = await listenOn("WEBSOCKET");
    const answer = await raw.WEBSOCKET(port, new TextEncoder().encode('{"user":"a","text":""}'));
    expect(answer).toEqual({ status: "error", message: "Send text frames." });
  });

  test("closes with 1009 over 64 KiB", async () => {
    const { port } = await listenOn("WEBSOCKET");
    expect(await raw.WEBSOCKET(port, "x".repeat(65_537))).toEqual({ closed: 1009 });
  });

  test("tells a plain GET to upgrade", async () => {
    const { port } = await listenOn("WEBSOCKET");
    const answer = await fetch(`http://${HOST}:${port}/v1/ws/message`);
    expect([answer.status, answer.headers.get("upgrade")]).toEqual([426, "websocket"]);
    expect((await fetch(`http://${HOST}:${port}/`)).status).toBe(426);
    expect((await fetch(`http://${HOST}:${port}/elsewhere`)).status).toBe(404);
  });

  test("takes silence for sent", async () => {
    const port = peer(() => {});
    expect(await senderOf("WEBSOCKET").send({ host: HOST, port }, "{}")).toEqual({ type: "sent" });
  });

  test("gives a late answer to no other frame", async () => {
    let frames = 0;
    const port = peer((socket) => {
      // Silent until the second frame: then what it owes, first for the first.
      if (++frames === 2)
        for (const answer of ["OK", '{"status":"error","message":"no"}']) socket.send(answer);
    });
    const { send } = senderOf("WEBSOCKET");
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
    const { send } = senderOf("WEBSOCKET");
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
    const { send } = senderOf("WEBSOCKET");
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
    const outcome = await senderOf("WEBSOCKET").send({ host: HOST, port: server.port ?? 0 }, "{}");
    expect(outcome).toEqual({ type: "broken" });
    await closed.promise;
  });

  test("does not know what became of frames whose connection broke", async () => {
    const port = peer((socket) => socket.terminate());
    const outcome = await senderOf("WEBSOCKET").send({ host: HOST, port }, "{}");
    expect(outcome).toEqual({ type: "broken" });
  });

  test("is not delivered to what accepts no WebSocket", async () => {
    const server = Bun.serve({ hostname: HOST, port: 0, fetch: () => new Response("no") });
    afterwards(() => server.stop(true));
    const outcome = await senderOf("WEBSOCKET").send({ host: HOST, port: server.port ?? 0 }, "{}");
    expect(outcome).toEqual({ type: "failed", reason: "it does not accept WebSocket connections" });
  });

  test("is not delivered to what never finishes the handshake", async () => {
    const port = await tcpPeer(() => {});
    const outcome = await senderOf("WEBSOCKET").send({ host: HOST, port }, "{}");
    expect(outcome).toEqual({ type: "failed", reason: "no connection in 3 s", absent: true });
  });
});
