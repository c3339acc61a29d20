/** What every protocol does, by one suite. */
import { describe, expect, test } from "bun:test";
import { transports } from "../../src/client/transports/index.ts";
import type { Outcome } from "../../src/client/transports/types.ts";
import { encodeMessage } from "../../src/core/message.ts";
import type { Message, Protocol } from "../../src/core/schemas.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { createInbox } from "../helpers/inbox.ts";
import { listenOn, protocols, raw, senderOf } from "../helpers/transports.ts";

const HOST = "127.0.0.1";

/** What counts as "it went well" differs: only UDP can never know. */
const GOOD: Record<Protocol, Outcome> = {
  HTTP: { type: "delivered" },
  WEBSOCKET: { type: "delivered" },
  UDP: { type: "sent" },
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
    const { inbox, port } = await listenOn(protocol);
    const outcome = await senderOf(protocol).send(
      { host: HOST, port },
      encodeMessage({ user: "alice", text: "hello" }),
    );
    expect(await inbox.next()).toEqual({ user: "alice", text: "hello" });
    expect(outcome).toEqual(GOOD[protocol]);
  });

  test.each(["", "名 😀 \u0000 \u2028 \ud800", '"quotes" and \\', "line\nbreak", "__proto__"])(
    "carries the text %j as it is",
    async (text) => {
      const { inbox, port } = await listenOn(protocol);
      await senderOf(protocol).send({ host: HOST, port }, encodeMessage({ user: "__proto__", text }));
      expect(await inbox.next()).toEqual({ user: "__proto__", text });
    },
  );

  test("carries a message of 64,000 bytes", async () => {
    const { inbox, port } = await listenOn(protocol);
    const text = "x".repeat(64_000 - encodeMessage({ user: "alice", text: "" }).length);
    await senderOf(protocol).send({ host: HOST, port }, encodeMessage({ user: "alice", text }));
    expect((await inbox.next()).text).toBe(text);
  });

  test("works over IPv6", async () => {
    const { inbox, port } = await listenOn(protocol, "::1");
    await senderOf(protocol).send({ host: "::1", port }, encodeMessage({ user: "alice", text: "hello" }));
    expect((await inbox.next()).text).toBe("hello");
  });

  test("reaches a host by its name", async () => {
    const { inbox, port } = await listenOn(protocol);
    await senderOf(protocol).send(
      { host: "localhost", port },
      encodeMessage({ user: "alice", text: "hello" }),
    );
    expect((await inbox.next()).text).toBe("hello");
  });

  test.each(BAD_BODIES)("refuses %s and goes on", async (_, body) => {
    const { inbox, port } = await listenOn(protocol);
    const answer = await raw[protocol](port, body);
    if (protocol !== "UDP")
      expect(answer).toEqual({ status: "error", message: expect.stringMatching(/^[^\n]+\.$/) });
    await raw[protocol](port, '{"user":"alice","text":"still there?"}');
    expect(await inbox.next()).toEqual({ user: "alice", text: "still there?" });
  });

  test("says that a closed port refuses, and is the quicker for it", async () => {
    const { port, close } = await listenOn(protocol);
    await close();
    const outcome = await senderOf(protocol).send({ host: HOST, port }, "{}");
    const reason = { HTTP: "connection refused", WEBSOCKET: "connection refused", UDP: "its port is closed" };
    expect(outcome).toEqual({ type: "failed", reason: reason[protocol], absent: true });
  });

  test("says that a host has no address", async () => {
    const outcome = await senderOf(protocol).send({ host: "no.such.host.invalid", port: 1 }, "{}");
    // Where there is no name server, nobody can tell that.
    expect(outcome).toEqual({
      type: "failed",
      reason: expect.stringMatching(/no such host|cannot be looked up/),
      absent: true,
    });
  });

  test("reaches a peer that was away and is back on the same port", async () => {
    const first = await listenOn(protocol);
    const { send } = senderOf(protocol);
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
    const { port } = await listenOn(protocol);
    const again = transports[protocol].listen({
      host: HOST,
      port,
      onMessage() {},
      advertised: () => ({ protocol, host: HOST, port }),
      registryIps: [],
    });
    expect(again).rejects.toThrow(`port ${port} is in use; choose another with --port (0 picks a free one)`);
  });
});
