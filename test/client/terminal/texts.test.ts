/** What one writes, pastes and gets, on a screen. */
import { expect, test } from "bun:test";
import { Message, parse } from "../../../src/core/schemas.ts";
import { afterwards } from "../../helpers/afterwards.ts";
import { addPeer, addressOf, alone, ENTER, openRegistry, pair, put } from "../../helpers/chat.ts";
import { inTerminal, openClient } from "../../helpers/screen.ts";

const LEFT = "\x1b[D";
const ESCAPE = "\x1b";
const paste = (text: string) => `\x1b[200~${text}\x1b[201~`;

inTerminal("my own text", () => {
  test("is shown with its fate: delivered", async () => {
    const { alice, bob } = await pair();
    alice.type(`hello bob${ENTER}`);
    await alice.shows("12:34 to bob: hello bob ✓\nbob> ▏");
    expect(await bob.inbox.next()).toBe("hello bob");
  });

  test("is shown with its fate: sent, where nobody can know more", async () => {
    const registry = await openRegistry();
    const socket = await Bun.udpSocket({ hostname: "127.0.0.1", port: 0 });
    afterwards(() => socket.close());
    await put(registry, "bob", { protocol: "UDP", host: "127.0.0.1", port: socket.port });
    const alice = await openClient("alice", registry);
    alice.type(`:user bob${ENTER}hello bob${ENTER}`);
    await alice.shows("12:34 to bob: hello bob (sent)\nbob> ▏");
  });

  test("that was not delivered says why, and is sent again with one key or command", async () => {
    const { alice, registry, bob } = await pair({ columns: 200 });
    const broken = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response("", { status: 500 }),
    });
    afterwards(() => broken.stop(true));
    await put(registry, "carol", { protocol: "HTTP", host: "127.0.0.1", port: broken.port });
    alice.type(`:user carol${ENTER}one${ENTER}`);
    const failed = "✗ not delivered to carol: it answered 500; :again retries";
    await alice.shows(`12:34 to carol: one ${failed}\ncarol> ▏`);
    alice.type(`half\x1bs`);
    await alice.shows(`12:34 to carol: one ${failed}\n12:34 to carol: one ${failed}\ncarol> half▏`);
    await put(registry, "carol", bob.address);
    alice.type(`\x15:again${ENTER}`);
    await alice.shows("12:34 carol moved\n12:34 to carol: one ✓\ncarol> ▏");
    expect(await bob.inbox.next()).toBe("one");
  });

  test.each([
    ["too long", "selected", ""],
    ["too long", "nobody", ""],
    ["refused by its reader over HTTP", "selected", 400],
    ["too long for its reader over HTTP", "selected", 413],
  ])("that is %s (%s) offers no :again, which could not help", async (what, whom, how) => {
    const registry = await openRegistry();
    const picky = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response("{}", { status: typeof how === "number" ? how : 200 }),
    });
    afterwards(() => picky.stop(true));
    await put(registry, "picky", { protocol: "HTTP", host: "127.0.0.1", port: picky.port });
    const alice = await openClient("alice", registry, [], { columns: 200 });
    if (whom === "selected") alice.type(`:user picky${ENTER}`);
    alice.type(paste(what === "too long" ? "x".repeat(70_000) : "hello") + ENTER);
    await alice.contains(whom === "selected" ? "not delivered to picky: " : "! The message is too large");
    const told = alice.rows().join("\n");
    expect(told).not.toContain("again");
    expect(told).not.toContain(".;");
    alice.type(`:again${ENTER}`);
    await alice.contains("! there is nothing to send again");
  });

  test("without anybody selected can be sent again when somebody is", async () => {
    const registry = await openRegistry();
    const bob = await addPeer(registry, "bob");
    const alice = await openClient("alice", registry);
    alice.type(`hello${ENTER}:user bob${ENTER}`);
    await alice.contains("bob> ");
    alice.type(`:again${ENTER}`);
    expect(await bob.inbox.next()).toBe("hello");
  });

  test("has marks that :help explains", async () => {
    const { alice } = await alone({ rows: 60 });
    alice.type(`:help${ENTER}`);
    await alice.contains("\n✓, (sent) ");
    await alice.contains("\n?, …, ✗ ");
  });

  test("that is under way stands above the prompt until its fate is known", async () => {
    const registry = await openRegistry();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Response>();
    const slow = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch() {
        asked.resolve();
        return answer.promise;
      },
    });
    afterwards(() => slow.stop(true));
    await put(registry, "slow", { protocol: "HTTP", host: "127.0.0.1", port: slow.port });
    const { alice, from } = await alone({}, [], registry);
    alice.type(`:user slow${ENTER}hello${ENTER}`);
    await asked.promise;
    await from("carol", "meanwhile");
    await alice.shows("12:34 carol: meanwhile\n12:34 to slow: hello …\nslow> ▏");
    answer.resolve(Response.json({ status: "ok" }));
    await alice.shows("12:34 carol: meanwhile\n12:34 to slow: hello ✓\nslow> ▏");
  });
});

inTerminal("a pasted block", () => {
  const block = "one\r\n  two\r\n\r\nfour\r\n";

  test("of several lines is one message, after one look at it", async () => {
    const { alice, bob } = await pair();
    alice.type(paste(block));
    await alice.shows(
      [
        "4 lines to bob:",
        "  one",
        "    two",
        "  four",
        "Enter sends them as one message, Esc drops them ▏",
      ].join("\n"),
    );
    alice.type(ENTER);
    expect(await bob.inbox.next()).toBe("one\n  two\n\nfour");
    await alice.shows("12:34 to bob: one\n          two\n        four ✓\nbob> ▏");
  });

  test("of many lines shows the first ones and counts the others", async () => {
    const { alice } = await pair({ columns: 20 });
    alice.type(paste(Array.from({ length: 40 }, (_, i) => `line ${i + 1}`).join("\n")));
    await alice.shows(
      [
        "40 lines to bob:",
        "  line 1",
        "  line 2",
        "  line 3",
        "  … 37 more",
        "Enter sends them as",
        "  one message, Esc",
        "  drops them ▏",
      ].join("\n"),
    );
  });

  test.each([
    ["Escape", ESCAPE],
    ["Ctrl-C", "\x03"],
  ])("is dropped by %s, and the half-typed line is back", async (_, key) => {
    const { alice } = await pair();
    alice.type("look: ");
    alice.type(paste(block));
    await alice.contains("4 lines to bob:");
    alice.type(key);
    await alice.shows("bob> look: ▏");
  });

  test("that starts with a command is a text all the same", async () => {
    const { alice, bob } = await pair();
    alice.type(paste(":exit\nnow"));
    await alice.contains("2 lines to bob:");
    alice.type(ENTER);
    expect(await bob.inbox.next()).toBe(":exit\nnow");
  });

  test("of one line is typed in, and not sent", async () => {
    const { alice } = await pair();
    alice.type(`<>${LEFT}${paste("one line\n")}`);
    await alice.shows("bob> <one line▏>");
  });
});

inTerminal("a paste whose end never comes", () => {
  test("is typed in after a second, and the keyboard works again", async () => {
    const { alice, bob } = await pair();
    alice.type("\x1b[200~stuck");
    await alice.shows("bob> stuck▏");
    alice.type(ENTER);
    expect(await bob.inbox.next()).toBe("stuck");
  });

  test("is dropped by Ctrl-C, and by nothing pasted that holds one", async () => {
    const { alice, bob } = await pair();
    alice.type("half");
    await alice.shows("bob> half▏");
    alice.type("\x1b[200~stuck\x03");
    await alice.shows("bob> ▏");
    alice.type(`hello${ENTER}`);
    expect(await bob.inbox.next()).toBe("hello");
    alice.type("\x1b[200~a\x03b");
    alice.type("\x1b[201~");
    await alice.shows("bob> a\\u{03}b▏");
  });
});

inTerminal("a script", () => {
  test.each([
    ["Persian", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"],
    ["Hindi", "\u0915\u094d\u200d\u0937 \u0930\u094d\u200c\u0915"],
    ["Sinhala", "\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf"],
    ["emoji", "1\ufe0f\u20e3 \u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} \u260e\ufe0e"],
  ])(
    "with joiners or selectors is written and read as it is, in columns as the terminal counts them: %s",
    async (_, text) => {
      const { alice, from, bob } = await pair();
      await from("bob", `${text}|`);
      alice.type(`${text}|${LEFT}`);
      await alice.shows(`12:34 bob: ${text}|\nbob> ${text}▏|`);
      alice.type(ENTER);
      expect(await bob.inbox.next()).toBe(`${text}|`);
    },
  );
});

inTerminal("Ctrl-R", () => {
  test("searches what was typed, newest first, and Enter sends it", async () => {
    const { alice, bob } = await pair();
    for (const text of ["the First one", "the second one"]) {
      alice.type(`${text}${ENTER}`);
      expect(await bob.inbox.next()).toBe(text);
    }
    alice.type("half\x12ONE");
    await alice.shows('search "ONE": the second ▏one');
    alice.type("\x12");
    await alice.shows('search "ONE": the First ▏one');
    alice.type("x");
    await alice.shows('no line with "ONEx": the First ▏one');
    alice.type(ESCAPE);
    await alice.shows("bob> half▏");
    alice.type(`\x12first${ENTER}`);
    expect(await bob.inbox.next()).toBe("the First one");
  });
});

inTerminal("a tab", () => {
  test("goes to the next stop of 4, in messages and in what is typed", async () => {
    const { alice, from } = await pair();
    await from("bob", "a\tb\n\tc\tdddd\te");
    alice.type(paste("x\ty"));
    await alice.shows("12:34 bob: a    b\n            c   dddd    e\nbob> x  y▏");
  });
});

inTerminal("messages", () => {
  test("that answer a text stand below it, however quick they are", async () => {
    const registry = await openRegistry();
    const { alice, from } = await alone({}, [], registry);
    const echo = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const { text } = parse(Message, await request.json());
        await from("echo", `you said ${text}`);
        return Response.json({ status: "ok" });
      },
    });
    afterwards(() => echo.stop(true));
    await put(registry, "echo", { protocol: "HTTP", host: "127.0.0.1", port: echo.port });
    alice.type(`:user echo${ENTER}hello${ENTER}`);
    await alice.shows("12:34 to echo: hello ✓\n12:34 echo: you said hello\necho> ▏");
  });

  test("come all the same while a text to who wrote them has no answer", async () => {
    const registry = await openRegistry();
    const { alice, from } = await alone({}, [], registry);
    const mute = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Promise<Response>(() => {}) });
    afterwards(() => mute.stop(true));
    await put(registry, "mute", { protocol: "HTTP", host: "127.0.0.1", port: mute.port });
    alice.type(`:user mute${ENTER}hello${ENTER}`);
    await alice.contains("to mute: hello …");
    await from("mute", "one");
    await from("mute", "two");
    await alice.shows("12:34 mute: one\n12:34 mute: two\n12:34 to mute: hello …\nmute> ▏");
  });

  test("of several lines are indented, so that none passes for somebody else's", async () => {
    const { alice, from } = await pair();
    await from("mallory", "hi\nbob: pay him\r\n12:34 bob: now");
    await alice.shows(
      ["12:34 mallory: hi", "        bob: pay him", "        12:34 bob: now", "bob> ▏"].join("\n"),
    );
    await from("mallory", `${" ".repeat(65)}12:34 bob: hello`);
    await alice.shows(["12:34 mallory:", "        12:34 bob: hello", "bob> ▏"].join("\n"));
  });

  test("of users who are not selected are counted, and :reply selects who wrote last", async () => {
    const { alice, registry, from } = await pair();
    await addPeer(registry, "carol");
    await alice.contains("carol joined");
    await from("bob", "to you");
    await from("dave", "psst");
    for (const text of ["one", "two"]) await from("carol", text);
    await alice.shows("12:34 carol: two\n[carol 2] bob> ▏");
    // Who has registered since can be selected, and so is counted.
    await addPeer(registry, "dave");
    alice.type(`:update${ENTER}`);
    await alice.contains("[dave 1, carol 2] bob> ▏");
    alice.type(`:reply${ENTER}`);
    await alice.contains("[dave 1] carol> ▏");
  });

  test.each([
    ["unselected", ["bob"], 0],
    ["unselected", ["carol"], 1],
    ["unselected", ["away", "bob"], 1],
    ["off", ["away", "carol"], 0],
    ["all", ["bob"], 1],
  ])("ring the bell as --bell %s says, after %j", async (bell, events, rings) => {
    const { alice, from } = await pair({}, ["--bell", bell]);
    for (const event of events) {
      if (event !== "away") {
        await from(event, "ring");
        continue;
      }
      // What the terminal says when another window gets the focus (mode 1004).
      alice.type("\x1b[O!");
      await alice.contains("bob> !");
    }
    await alice.contains("ring");
    expect(alice.written().split("\x07").length - 1).toBe(rings);
  });
});

inTerminal("the list", () => {
  test.each([
    [
      80,
      "  alice  HTTP  127.0.0.1:{alice}  (you)\n▸ bob    HTTP  127.0.0.1:{bob}  (selected)\n  carol  UDP   [::1]:3000",
    ],
    [20, "  carol  UDP\n    [::1]:3000"],
  ])("is a table at %d columns, or as much of one as fits", async (columns, drawn) => {
    const { alice, registry } = await pair({ columns });
    await put(registry, "carol", { protocol: "UDP", host: "::1", port: 3000 });
    alice.type(`:update${ENTER}`);
    let wanted = drawn;
    for (const user of ["alice", "bob"]) {
      wanted = wanted.replace(`{${user}}`, String((await addressOf(registry, user)).port).padEnd(5));
    }
    // IPv6 hosts are as wide as they are.
    await alice.shows(`${wanted}\nbob> ▏`);
  });
});
