/** The line being typed, on a screen. */
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { alone, ENTER, openRegistry, pair, put } from "../../helpers/chat.ts";
import { listed } from "../../helpers/program.ts";
import { temporaryFolder } from "../../helpers/registry.ts";
import { inTerminal, openClient } from "../../helpers/screen.ts";

const UP = "\x1b[A";
const DOWN = "\x1b[B";
const LEFT = "\x1b[D";

inTerminal("a half-typed line", () => {
  test("stays whole, with its cursor, below a message", async () => {
    const { alice, from } = await pair();
    alice.type(`see you at noon${LEFT.repeat(4)}`);
    await alice.shows("bob> see you at ▏noon");
    await from("bob", "hello");
    await alice.shows("12:34 bob: hello\nbob> see you at ▏noon");
    alice.type("the ");
    await alice.shows("12:34 bob: hello\nbob> see you at the ▏noon");
  });

  test.each([
    [
      20,
      [
        "12:34 bob: hello to",
        "  you, alice",
        "bob> a line that is",
        "longer than▏ the scre",
        "en wherever it is re",
        "ad",
      ],
    ],
    [
      80,
      ["12:34 bob: hello to you, alice", "bob> a line that is longer than▏ the screen wherever it is read"],
    ],
    [
      200,
      ["12:34 bob: hello to you, alice", "bob> a line that is longer than▏ the screen wherever it is read"],
    ],
  ])("is wrapped at %d columns, and stays so below a message", async (columns, drawn) => {
    const { alice, from } = await pair({ columns });
    alice.type(`a line that is longer than the screen wherever it is read${LEFT.repeat(31)}`);
    await alice.shows(drawn.slice(columns === 20 ? 2 : 1).join("\n"));
    await from("bob", "hello to you, alice");
    await alice.shows(drawn.join("\n"));
  });

  test("of wide characters and emoji is wrapped between them", async () => {
    const { alice, from } = await pair({ columns: 20 });
    alice.type("名前名前名前名前👩‍👩‍👧👍🏽é!");
    await alice.shows("bob> 名前名前名前名\n前👩‍👩‍👧👍🏽é!▏");
    await from("bob", "日本");
    await alice.shows("12:34 bob: 日本\nbob> 名前名前名前名\n前👩‍👩‍👧👍🏽é!▏");
    alice.type("\x7f\x7f\x7f\x7f");
    await alice.shows("bob> 名前名前名前名\n前▏");
  });

  test("and the messages above it are laid out anew when the size changes", async () => {
    const { alice, from } = await pair();
    await from("bob", "a message that fits one row of a wide terminal only");
    alice.type(`a line that fits one row, too${LEFT}`);
    await alice.shows(
      "12:34 bob: a message that fits one row of a wide terminal only\nbob> a line that fits one row, to▏o",
    );
    alice.resize(20, 12);
    await alice.shows(
      [
        "12:34 bob: a message",
        "  that fits one row",
        "  of a wide terminal",
        "  only",
        "bob> a line that fit",
        "s one row, to▏o",
      ].join("\n"),
    );
    alice.resize(200, 24);
    await alice.shows(
      "12:34 bob: a message that fits one row of a wide terminal only\nbob> a line that fits one row, to▏o",
    );
    await from("bob", "and on");
    await alice.shows("12:34 bob: and on\nbob> a line that fits one row, to▏o");
  });

  test("is cleared by Ctrl-C, and an empty one is left by it", async () => {
    const { alice, registry } = await pair();
    alice.type("never mind");
    await alice.shows("bob> never mind▏");
    alice.type("\x03");
    await alice.shows("bob> ▏");
    alice.type("\x03");
    expect(await alice.exited).toBe(0);
    expect(Object.keys(await listed(registry))).toEqual(["bob"]);
  });

  test("is completed by Tab: commands, and names behind :user", async () => {
    const registry = await openRegistry();
    for (const user of ["barbara", "barbados"])
      await put(registry, user, { protocol: "UDP", host: "h", port: 1 });
    const alice = await openClient("alice", registry);
    alice.type(":us\t");
    await alice.shows("> :user ▏");
    alice.type("b\t");
    await alice.shows("> :user barba▏");
    alice.type("\t");
    await alice.shows("barbados  barbara\n> :user barba▏");
    alice.type(`r\t${ENTER}`);
    await alice.shows("12:34 your messages go to barbara at udp://h:1\nbarbara> ▏");
  });
});

inTerminal("history", () => {
  test("goes back and forth, without what is there twice, and keeps the line being typed", async () => {
    const { alice } = await alone();
    for (const line of [":reply", ":help", ":reply", ":again"]) alice.type(line + ENTER);
    alice.type(`new${UP}${UP}`);
    await alice.shows("> :reply▏");
    alice.type(UP);
    await alice.shows("> :help▏");
    alice.type(UP + DOWN + DOWN + DOWN + DOWN);
    await alice.shows("> new▏");
  });

  test("is kept across starts, for the user alone", async () => {
    const registry = await openRegistry();
    const env = { XDG_STATE_HOME: join(temporaryFolder(), "state") };
    const first = await openClient("alice", registry, [], { env });
    first.type(`:reply${ENTER}\x04`);
    await first.exited;
    const file = join(env.XDG_STATE_HOME, "talk/talk.db");
    expect([statSync(file).mode & 0o777, statSync(join(file, "..")).mode & 0o777]).toEqual([0o600, 0o700]);
    const second = await openClient("alice", registry, [], { env });
    second.type(UP);
    await second.shows("> :reply▏");
  });

  test("that cannot be kept is told once, and the chat goes on", async () => {
    const { alice, bob } = await pair({ env: { XDG_STATE_HOME: "/dev/null/state" } });
    await alice.contains("! messages and history are not kept in /dev/null/state/talk/talk.db:");
    alice.type(`hello${ENTER}`);
    expect(await bob.inbox.next()).toBe("hello");
  });
});
