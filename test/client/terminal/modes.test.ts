/** Terminals of many kinds, and how they are left. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { afterwards } from "../../helpers/afterwards.ts";
import { addPeer, alone, ENTER, openRegistry, pair } from "../../helpers/chat.ts";
import { listed, root } from "../../helpers/program.ts";
import { inTerminal, type openClient, openScreen } from "../../helpers/screen.ts";

/** SGR sequences (ECMA-48 §8.3.117). */
const COLOUR = new RegExp(`${"\x1b"}\\[[0-9;]+m`);
const COLOURED_BOB = new RegExp(`(${"\x1b"}\\[\\d+m)bob`);

const COLOURED_USER = new RegExp(`${"\x1b"}\\[(\\d+)muser-`, "g");

inTerminal("a terminal", () => {
  test("without colours gets none, and each user has a steady one elsewhere", async () => {
    const { alice, from } = await alone({ env: { NO_COLOR: "1" } });
    await from("bob", "hello");
    await alice.contains("bob: hello");
    expect(alice.written()).not.toMatch(COLOUR);
    const colours = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const other = await alone();
      await other.from("bob", "hello");
      await other.alice.contains("bob: hello");
      colours.add(COLOURED_BOB.exec(other.alice.written())?.[1] ?? "none");
    }
    expect([...colours]).toEqual([expect.stringContaining("m")]);
  });

  test("keeps red for errors: no user's name has it", async () => {
    const { alice, from } = await alone({ rows: 60 });
    for (let i = 0; i < 30; i++) await from(`user-${i}`, "hello");
    await alice.contains("user-29: hello");
    const names = [...alice.written().matchAll(COLOURED_USER)].map(([, colour]) => colour);
    expect(names.length).toBeGreaterThanOrEqual(30);
    expect(names).not.toContain("31");
    expect(names).not.toContain("91");
  });

  test("without Unicode gets words", async () => {
    const { alice } = await pair({ env: { LANG: "C" } });
    alice.type(`hello${ENTER}`);
    await alice.shows("12:34 to bob: hello (delivered)\nbob> ▏");
  });

  test.each([
    ["--plain", ["--plain"], {}],
    ["TERM=dumb", [], { TERM: "dumb" }],
  ])("with %s gets lines that are only added, and no escape sequence", async (_, args, env) => {
    const { alice, bob, from } = await pair({ env }, args);
    await from("bob", "one\ntwo");
    await alice.contains("        two");
    alice.type(`hello${ENTER}`);
    expect(await bob.inbox.next()).toBe("hello");
    await alice.contains("12:34 delivered to bob");
    alice.type("\x04");
    expect(await alice.exited).toBe(0);
    expect(alice.written()).not.toMatch(/[^\P{Cc}\r\n]/u);
    expect(alice.rows().slice(-5)).toEqual([
      "12:34 bob: one",
      "        two",
      "hello",
      "12:34 delivered to bob",
      "▏",
    ]);
  });

  test("that edits lines itself hands over 4,095 bytes of one: no part of a longer one is sent", async () => {
    const { alice, bob } = await pair({}, ["--plain"]);
    alice.type(`${"x".repeat(4094)}${ENTER}`);
    expect((await bob.inbox.next()).length).toBe(4094);
    alice.type(`${"x".repeat(5000)}${ENTER}hello${ENTER}`);
    expect(await bob.inbox.next()).toBe("hello");
    await alice.contains("the terminal cuts lines at 4095 bytes");
  });

  test("hands send no part of a line that it has cut", async () => {
    const main = join(root, "src/client/send.ts");
    const screen = openScreen([process.execPath, main, "--to", "bob", "--registry", "127.0.0.1:1"]);
    screen.type(`${"x".repeat(5000)}${ENTER}\x04`);
    expect(await screen.exited).toBe(2);
    await screen.contains("error: the terminal cuts lines at 4095 bytes");
  });

  test.each([
    ["with --json", "--json", (text: string) => JSON.stringify({ to: "bob", text })],
    ["without it", "", (text: string) => text],
  ])(
    "that edits lines itself hands a client whose output is a pipe no part of a longer line: %s",
    async (_, flags, write) => {
      const registry = await openRegistry();
      const bob = await addPeer(registry, "bob");
      const main = join(root, "src/client/main.ts");
      const client = `${process.execPath} ${main} --name alice --port 0 --registry ${registry.url} ${flags}`;
      // Tall enough for all that is echoed and reported, in whatever order.
      const screen = openScreen(["sh", "-c", `${client} 2>&1 | cat`], { rows: 300 });
      await screen.contains("alice");
      if (flags === "") screen.type(`:user bob${ENTER}`);
      screen.type(`${write("x".repeat(3000))}${ENTER}`);
      expect((await bob.inbox.next()).length).toBe(3000);
      screen.type(`${write("x".repeat(5000))}${ENTER}${write("hello")}${ENTER}`);
      expect(await bob.inbox.next()).toBe("hello");
      const refused = (rows: string[]) => rows.join("").includes("the terminal cuts lines at 4095 bytes");
      await screen.until(refused, "a refusal");
    },
  );

  test("that reports keys as CSI u or modifyOtherKeys is read as any other", async () => {
    const { alice, bob } = await pair();
    alice.type("hi\x1b[13u");
    expect(await bob.inbox.next()).toBe("hi");
    alice.type("never mind");
    await alice.shows("bob> never mind▏");
    // Ctrl-C, and Ctrl-D.
    alice.type("\x1b[99;5u");
    await alice.shows("bob> ▏");
    alice.type("\x1b[27;5;100~");
    expect(await alice.exited).toBe(0);
  });

  test("into which a flood of messages runs is left within 3 s of SIGTERM", async () => {
    const { alice, from } = await pair({}, ["--rate-limit", "0"]);
    let flooding = true;
    const flood = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (flooding) await from("bob", "x".repeat(1000)).catch(() => {});
      }),
    );
    await alice.contains("xxx");
    const began = performance.now();
    alice.kill("SIGTERM");
    expect(await alice.exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(3000);
    flooding = false;
    await flood;
    expect(alice.isRestored()).toBe(true);
  });

  const ends: [string, (alice: Awaited<ReturnType<typeof openClient>>) => void][] = [
    ["Ctrl-D", (alice) => alice.type("\x04")],
    [":exit", (alice) => alice.type(`:exit${ENTER}`)],
    ["SIGTERM", (alice) => alice.kill("SIGTERM")],
    ["SIGINT", (alice) => alice.kill("SIGINT")],
    ["SIGHUP", (alice) => alice.kill("SIGHUP")],
  ];

  test.each(ends)("is given back as it was after %s", async (_, end) => {
    const { alice, registry } = await alone();
    end(alice);
    expect(await alice.exited).toBe(0);
    expect(alice.isRestored()).toBe(true);
    await alice.writes("\x1b[?1004l\x1b[?2004l");
    expect(await listed(registry)).toEqual({});
  });

  test("is given back as it was after a crash", async () => {
    const crash = `
      const { openInteractive } = await import("./src/client/terminal/interactive.ts");
      const { systemClock } = await import("./src/core/clock.ts");
      const { openStorage } = await import("./src/client/storage/index.ts");
      const storage = openStorage({ path: undefined, historyFile: "", onTrouble() {} });
      openInteractive({ bell: "off", env: process.env, clock: systemClock, now: () => new Date(), storage });
      process.stdin.once("data", () => { throw new Error("boom"); });
    `;
    const screen = openScreen([process.execPath, "-e", crash]);
    await screen.shows("> ▏");
    expect(screen.isRestored()).toBe(false);
    screen.type("x");
    expect(await screen.exited).toBe(1);
    expect(screen.isRestored()).toBe(true);
    await screen.writes("\x1b[?1004l\x1b[?2004l");
  });

  test("is given back before an error is told, when there is no registry", async () => {
    const main = join(root, "src/client/main.ts");
    const screen = openScreen([process.execPath, main, "--registry", "http://127.0.0.1:1"]);
    expect(await screen.exited).toBe(1);
    await screen.shows(
      "error: no registry at http://127.0.0.1:1 (connection refused); start one with:\nbun run registry --port 1\n▏",
    );
    expect(screen.isRestored()).toBe(true);
  });

  test("is typed into, and left, before the registry has answered", async () => {
    const asked = Promise.withResolvers<void>();
    const hanging = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch() {
        asked.resolve();
        return new Promise<Response>(() => {});
      },
    });
    afterwards(() => hanging.stop(true));
    const main = join(root, "src/client/main.ts");
    const url = `http://127.0.0.1:${hanging.port}`;
    const screen = openScreen([process.execPath, main, "--port", "0", "--registry", url]);
    await asked.promise;
    screen.type("hello");
    await screen.shows("> hello▏");
    screen.type("\x03\x03");
    expect(await screen.exited).toBe(0);
    expect(screen.isRestored()).toBe(true);
  });

  test.each(["SIGSTOP", "SIGTSTP"] as const)(
    "that a shell had while we were stopped by %s is taken anew",
    async (signal) => {
      const registry = await openRegistry();
      const shell = openScreen(["bash", "--norc", "--noprofile", "-i"], { env: { PS1: "$ " } });
      const main = join(root, "src/client/main.ts");
      shell.type(`${process.execPath} ${main} --name alice --port 0 --registry ${registry.url}${ENTER}`);
      await shell.contains("(you)");
      shell.type("half");
      await shell.shows("> half▏");
      const [pid = 0] = (await Bun.file(`/proc/${shell.pid}/task/${shell.pid}/children`).text())
        .split(" ")
        .map(Number);
      process.kill(pid, signal);
      await shell.contains("Stopped");
      shell.type(`stty sane; fg${ENTER}`);
      await shell.shows("> half▏");
      expect(shell.written().split("\x1b[?2004h\x1b[?1004h").length).toBeGreaterThan(2);
      // Without raw mode, neither of these keys would do a thing before Enter.
      shell.type("\x15back\x1b[D");
      await shell.shows("> bac▏k");
    },
  );

  test("that is closed ends the client, which unregisters", async () => {
    const { alice, registry } = await alone();
    alice.hangUp();
    expect(await alice.exited).toBe(0);
    expect(await listed(registry)).toEqual({});
  });
});
