/** What cannot get better by trying again is told without the advice to. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { transports } from "../../src/client/transports/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { alone, ENTER, openRegistry, put } from "../helpers/chat.ts";
import { openClient, setsid } from "../helpers/screen.ts";

// Processes take longer than Bun's 5 s on a busy machine.
setDefaultTimeout(30_000);

test.skipIf(!setsid)("a peer on WebSocket that closes with 1009 is offered no :again", async () => {
  const peer = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("", { status: 426 })),
    websocket: { message: (socket) => socket.close(1009) },
  });
  afterwards(() => peer.stop(true));
  const registry = await openRegistry();
  await put(registry, "bob", { protocol: "WEBSOCKET", host: "127.0.0.1", port: peer.port });
  const { alice } = await alone({}, [], registry);
  alice.type(`:user bob${ENTER}hello${ENTER}`);
  await alice.contains("the message is too long for it");
  expect(alice.everything().join("\n")).not.toContain(":again retries");
});

test.skipIf(!setsid)("a user on a protocol that we do not speak is offered no :again", async () => {
  const bob = { protocol: "SMOKE", host: "127.0.0.1", port: 1 };
  const alice = { protocol: "HTTP", host: "127.0.0.1", port: 2 };
  const registry = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      if (request.method === "POST") Object.assign(alice, Object(await request.json()).address);
      return Response.json(new URL(request.url).pathname.startsWith("/v1/users") ? { alice, bob } : {});
    },
  });
  afterwards(() => registry.stop(true));
  const screen = await openClient("alice", { url: `http://127.0.0.1:${registry.port}` });
  screen.type(`:to bob hello${ENTER}`);
  await screen.contains("its protocol is not supported");
  expect(screen.everything().join("\n")).not.toContain(":again retries");
});

test("a datagram that the system refuses for its size is not worth another try", async () => {
  const sender = transports.UDP.createSender();
  afterwards(sender.close);
  expect(await sender.send({ host: "127.0.0.1", port: 9 }, "x".repeat(65_508))).toEqual({
    type: "failed",
    reason: "it is too long for one datagram",
    permanent: true,
  });
});
