/** Messages that come before a client has begun. */
import { expect, test } from "bun:test";
import { transports } from "../../src/client/transports/index.ts";
import { Address, isRecord, type Protocol, parse } from "../../src/core/schemas.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { createInbox } from "../helpers/inbox.ts";
import { start } from "../helpers/program.ts";

const protocols: Protocol[] = ["HTTP", "WEBSOCKET", "UDP"];
const BODY = JSON.stringify({ user: "eve", text: "x".repeat(50_000) });

/** A client that a registry has not answered yet, and what makes it answer. */
async function startEarly(protocol: Protocol) {
  const registering = Promise.withResolvers<Address>();
  const answer = Promise.withResolvers<void>();
  const registry = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      if (request.method === "GET") return Response.json({});
      const body: unknown = await request.json();
      if (isRecord(body)) registering.resolve(parse(Address, body.address));
      await answer.promise;
      return Response.json({ status: "ok" });
    },
  });
  afterwards(() => registry.stop(true));
  const flags = ["--name", "bob", "--protocol", protocol, "--port", "0", "--rate-limit", "0"];
  const client = start("src/client/main.ts", [...flags, "--registry", registry.url.href]);
  const address = await registering.promise;
  const sender = transports[protocol].createSender();
  afterwards(sender.close);
  return { client, address, answer: answer.resolve, send: (body: string) => sender.send(address, body) };
}

test.each(["HTTP", "WEBSOCKET"] as const)(
  "of 5 MB that come over %s before a client has begun it takes 1 MB, asks to wait with the others, and shows what it took",
  async (protocol) => {
    const { client, answer, send } = await startEarly(protocol);
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => send(BODY)));
    const taken = outcomes.filter(({ type }) => type === "delivered").length;
    expect(taken).toBe(21);
    expect(outcomes.filter(({ type }) => type !== "delivered")).toEqual(
      Array(100 - taken).fill({ type: "deferred", ms: 1000 }),
    );
    answer();
    let last = await send('{"user":"eve","text":"the last"}');
    while (last.type !== "delivered") last = await send('{"user":"eve","text":"the last"}');
    await client.sees("eve: the last");
    expect(client.lines.filter((line) => line.endsWith("xxx"))).toHaveLength(taken);
  },
);

test("of 1.5 MB that come over UDP before a client has begun it shows 1 MB, and drops the others", async () => {
  const { client, answer, address } = await startEarly("UDP");
  const heard = createInbox<string>();
  const socket = await Bun.udpSocket({
    connect: { hostname: address.host, port: address.port },
    socket: { data: (_, datagram) => heard.push(datagram.toString()) },
  });
  afterwards(() => socket.close());
  for (let i = 0; i < 15; i++) {
    // As much as its receive buffer holds; when it answers, it has read what came before.
    socket.sendMany([BODY, BODY, `id-checker ${i}`]);
    expect(await heard.next()).toBe(String(i));
  }
  answer();
  for (let i = 0; i < 21; i++) await client.sees(/xxx$/);
  client.endInput();
  expect(await client.exited).toBe(0);
  expect(client.lines.filter((line) => line.endsWith("xxx"))).toHaveLength(21);
});

test.each(protocols)(
  "short messages that come over %s before a client has begun are shown",
  async (protocol) => {
    const { client, answer, send } = await startEarly(protocol);
    for (let i = 1; i <= 10; i++) await send(JSON.stringify({ user: "eve", text: `early ${i}` }));
    answer();
    await client.sees("eve: early 10");
    expect(client.lines.filter((line) => line.startsWith("eve:"))).toEqual(
      Array.from({ length: 10 }, (_, i) => `eve: early ${i + 1}`),
    );
  },
);
