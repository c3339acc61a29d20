/** Two clients that talk, as their users meet them: processes, fed by pipes. */
import { describe, expect, test } from "bun:test";
import { addressOf, put } from "../helpers/chat.ts";
import { start, startClient, startRegistry } from "../helpers/program.ts";

const HOST = "127.0.0.1";
const protocols = ["HTTP", "WEBSOCKET", "UDP"];
const pairs = protocols.flatMap((from) => protocols.map((to) => ({ from, to })));

describe("a conversation", () => {
  test.each(pairs)("goes both ways between a client on $from and one on $to", async ({ from, to }) => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry, "--protocol", to);
    const alice = await startClient("alice", registry, "--protocol", from.toLowerCase());
    alice.type(":user bob", "hello bob", "::smile", ":) is text", "");
    for (const text of ["hello bob", ":smile", ":) is text"]) await bob.sees(`alice: ${text}`);
    bob.type(":user alice", "hello alice");
    await alice.sees("bob: hello alice");
    expect([...alice.lines, ...bob.lines].filter((line) => line.startsWith("error"))).toEqual([]);
  });

  test.each(protocols)("keeps the order of 300 messages over %s", async (protocol) => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry, "--protocol", protocol);
    const alice = await startClient("alice", registry);
    const texts = Array.from({ length: 300 }, (_, i) => `message ${i}`);
    alice.type(":user bob", ...texts);
    await bob.sees("alice: message 299");
    expect(bob.lines.filter((line) => line.startsWith("alice:"))).toEqual(
      texts.map((text) => `alice: ${text}`),
    );
  });

  test.each(protocols)("loses none of 20 messages of 60,000 bytes over %s", async (protocol) => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry, "--protocol", protocol);
    const alice = await startClient("alice", registry);
    const texts = Array.from({ length: 20 }, (_, i) => `${i} ${"名".repeat(20_000)}`);
    alice.type(":user bob", ...texts);
    for (const text of texts) await bob.sees(`alice: ${text}`);
  });

  test("shows what came from outside without a byte that could command a terminal", async () => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry);
    const alice = await startClient("alice", registry);
    alice.type(":user bob", "\x1b]0;title\x07\x1b[2Jhi\x9b\u202e\u200b");
    await bob.sees("alice: \\e]0;title\\u{07}\\e[2Jhi\\u{9b}\\u{202e}\\u{200b}");
    const { port } = await addressOf(registry, "bob");
    const text = "one\nmallory: two\r\n";
    await fetch(`http://${HOST}:${port}/v1/message`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: "alice", text }),
    });
    await bob.sees("alice: one\\nmallory: two\\r\\n");
  });
});

describe("a peer that moved", () => {
  test("gets the message at its new address, and later ones behind it", async () => {
    const registry = await startRegistry("--open");
    const bob = await startClient("bob", registry, "--protocol", "UDP");
    const alice = await startClient("alice", registry);
    const moved = await addressOf(registry, "bob");
    await put(registry, "bob", { protocol: "HTTP", host: HOST, port: 1 });
    alice.type(":update");
    await alice.sees(`bob  http://${HOST}:1`);
    alice.type(":user bob");
    await alice.sees(`your messages go to bob at http://${HOST}:1`);
    await put(registry, "bob", moved);
    alice.type("one", "two", "three");
    for (const text of ["one", "two", "three"]) await bob.sees(`alice: ${text}`);
    expect(alice.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  test("that left is told of and not selected any more", async () => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry);
    const alice = await startClient("alice", registry);
    alice.type(":update", ":user bob");
    await alice.sees(/^your messages go to bob/);
    bob.type(":exit");
    await bob.exited;
    await alice.sees("bob left; nobody is selected (:to bob <text> leaves a message)");
    alice.type("hello");
    await alice.sees(/^error: nobody is selected/);
  });
});

test("a text to nobody goes by :again to who is selected, though one to another has failed since", async () => {
  const registry = await startRegistry();
  const bob = await startClient("bob", registry);
  const alice = await startClient("alice", registry);
  alice.type("hello", ":user bob", ":to nobody ok");
  await alice.sees(/^error: nobody is selected.*; then :again sends "hello"$/);
  await alice.sees(/^error: not delivered to nobody/);
  alice.type(":again");
  await bob.sees("alice: hello");
  await alice.sees(/^error: not delivered to nobody/);
  alice.type(":again bob");
  await alice.sees("error: there is nothing to send again to bob");
});

describe("the list", () => {
  test("is sorted by name, with oneself marked", async () => {
    const registry = await startRegistry();
    await put(registry, "carol", { protocol: "UDP", host: "10.0.0.5", port: 3000 });
    await put(registry, "__proto__", { protocol: "WEBSOCKET", host: "::1", port: 8082 });
    const bob = start("src/client/main.ts", ["--port", "0", "--name", "bob", "--registry", registry.url]);
    await bob.sees("carol  udp://10.0.0.5:3000");
    expect(bob.lines.slice(1)).toEqual([
      "__proto__  ws://[::1]:8082",
      expect.stringMatching(/^bob {2}http:\/\/127\.0\.0\.1:\d+ {2}\(you\)$/),
      "carol  udp://10.0.0.5:3000",
    ]);
  });

  test(":help shows every command", async () => {
    const registry = await startRegistry();
    const alice = await startClient("alice", registry);
    alice.type(":help");
    for (const command of [":update", ":user <user>", ":exit", ":help"]) {
      await alice.sees(new RegExp(`^${command} +\\w`));
    }
  });
});
