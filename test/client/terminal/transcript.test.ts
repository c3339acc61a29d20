/** What was said, read again on a screen. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { registryId } from "../../../src/client/registry/secrets.ts";
import { openStorage } from "../../../src/client/storage/index.ts";
import { addPeer, alone, ENTER, openRegistry, pair, put, writerTo } from "../../helpers/chat.ts";
import { root } from "../../helpers/program.ts";
import { temporaryFolder } from "../../helpers/registry.ts";
import { inTerminal, openScreen } from "../../helpers/screen.ts";

/** What the file in a state folder holds of alice's messages. */
function keptIn(state: string, registry: { url: string }) {
  const folder = join(state, "talk");
  const storage = openStorage({
    path: join(folder, "talk.db"),
    historyFile: join(folder, "history"),
    onTrouble(sentence) {
      throw new Error(sentence);
    },
  });
  const { transcript } = storage.of(registryId(registry.url), "alice", false);
  const said = transcript.last(undefined, 100_000);
  storage.close();
  return said;
}

const canMount =
  Bun.spawnSync(["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "none", "/mnt"])
    .exitCode === 0;
if (!canMount)
  process.stderr.write("skipped: a disk that is full or read-only, because nothing can be mounted here\n");

inTerminal.skipIf(!canMount)("a disk", () => {
  test.each([
    ["that is full", "size=300k", "the disk is full"],
    ["that is read-only", "ro", "you may not write there|the disk is read-only|it cannot be opened"],
  ])("%s costs one warning, and everything goes on", async (_, mount, why) => {
    const registry = await openRegistry();
    const bob = await addPeer(registry, "bob");
    const state = temporaryFolder();
    const client = [process.execPath, join(root, "src/client/main.ts"), "--name", "alice", "--port", "0"];
    const script = `mount -t tmpfs -o ${mount} none "$0"; exec "$@"`;
    const alice = openScreen(
      [
        ...["unshare", "--mount", "--map-root-user", "sh", "-c", script, state],
        ...[...client, "--registry", registry.url, "--rate-limit", "0"],
      ],
      { env: { XDG_STATE_HOME: state }, columns: 120 },
    );
    await alice.contains("(you)");
    const from = await writerTo(registry, "alice");
    for (let i = 0; i < 100; i++) await from("carol", `${i} ${"x".repeat(4000)}`);
    alice.type(`:user bob${ENTER}hello${ENTER}`);
    expect(await bob.inbox.next()).toBe("hello");
    await alice.contains("hello ✓");
    alice.type(`:last bob${ENTER}`);
    await alice.shows("12:34 to bob: hello ✓\n--- now ---\nbob> ▏");
    const warnings = alice.everything().filter((row) => row.includes("! messages and history are not kept"));
    expect(warnings.length).toBe(1);
    expect(warnings[0]).toMatch(new RegExp(`talk/talk\\.db: (${why})`));
  });
});

inTerminal("the transcript", () => {
  test("shows what was said last and what has a word in it, also after kill -9", async () => {
    const state = temporaryFolder();
    const options = { env: { XDG_STATE_HOME: state }, columns: 70 };
    const registry = await openRegistry();
    await addPeer(registry, "bob");
    const first = await alone(options, [], registry);
    first.alice.type(`:user bob${ENTER}lunch at one?${ENTER}`);
    await first.alice.contains("lunch at one? ✓");
    await first.from("bob", "one is fine");
    await first.from("carol", "is there \x1b[2J LUNCH?");
    await first.alice.contains("LUNCH?");
    first.alice.kill("SIGKILL");
    await first.alice.exited;

    const { alice } = await alone(options, [], registry);
    alice.type(`:last${ENTER}`);
    await alice.shows(
      [
        "--- the last 3 ---",
        "12:34 to bob: lunch at one? ✓",
        "12:34 bob: one is fine",
        "12:34 carol: is there \\e[2J LUNCH?",
        "--- now ---",
        "> ▏",
      ].join("\n"),
    );
    alice.type(`:last bob 1${ENTER}`);
    await alice.shows("--- the last 1 with bob ---\n12:34 bob: one is fine\n--- now ---\n> ▏");
    alice.type(`:find lunch${ENTER}`);
    await alice.shows(
      "--- 2 found ---\n12:34 to bob: lunch at one? ✓\n12:34 carol: is there \\e[2J LUNCH?\n--- now ---\n> ▏",
    );
    alice.type(`:find supper${ENTER}`);
    await alice.shows("--- nothing was found ---\n> ▏");
    alice.type(`:last a b${ENTER}`);
    await alice.shows("12:34 ! usage: :last [user] [number]\n> ▏");
  });

  test("has every line of a flood that was not drawn", async () => {
    const state = temporaryFolder();
    const { registry, alice, from } = await alone({ env: { XDG_STATE_HOME: state } }, ["--rate-limit", "0"]);
    const senders = Array.from({ length: 20 }, (_, i) => `user-${i}`);
    for (let i = 0; i < 100; i++) {
      await Promise.all(
        senders.map(async (sender) => {
          for (let n = 0; n < 5; n++) await from(sender, `message ${5 * i + n}`);
        }),
      );
    }
    await alice.contains(" more (:last user-");
    alice.type(`:last user-7 450${ENTER}`);
    const wanted = Array.from({ length: 450 }, (_, i) => `12:34 user-7: message ${i + 50}`);
    await alice.until(
      () =>
        alice
          .everything()
          .join("\n")
          .includes(["--- the last 450 with user-7 ---", ...wanted].join("\n")),
      "the last 450 messages of user-7",
    );
    const said = keptIn(state, registry);
    for (const sender of senders) {
      const texts = said.filter(({ user }) => user === sender).map(({ text }) => text);
      expect(texts).toEqual(Array.from({ length: 500 }, (_, i) => `message ${i}`));
    }
  });

  test("is kept nowhere with --no-transcript, and tells of this session all the same", async () => {
    const state = temporaryFolder();
    const { alice, bob } = await pair({ env: { XDG_STATE_HOME: state } }, ["--no-transcript"]);
    alice.type(`hello bob${ENTER}`);
    expect(await bob.inbox.next()).toBe("hello bob");
    await alice.contains("hello bob ✓");
    alice.type(`:last${ENTER}`);
    await alice.shows("--- the last 1 ---\n12:34 to bob: hello bob ✓\n--- now ---\nbob> ▏");
    alice.type("\x1b[A\x1b[A");
    await alice.shows("bob> hello bob▏");
    const folder = join(state, "talk");
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual(["key"]);
  });

  test("tells that a text waits, and then that it was delivered", async () => {
    const state = temporaryFolder();
    const { registry, alice } = await alone({ env: { XDG_STATE_HOME: state }, columns: 100 });
    await put(registry, "bob", { protocol: "HTTP", host: "127.0.0.1", port: 1 });
    alice.type(`:user bob${ENTER}hello${ENTER}`);
    await alice.shows(
      "12:34 to bob: hello … not delivered to bob yet: connection refused; it waits until bob is back\nbob> ▏",
    );
    alice.type(`:last${ENTER}`);
    await alice.shows("12:34 to bob: hello …\n--- now ---\nbob> ▏");
    const bob = await addPeer(registry, "bob");
    expect(await bob.inbox.next()).toBe("hello");
    await alice.contains("12:34 bob is back: 1 delivered");
    alice.type(`:last${ENTER}`);
    await alice.shows("12:34 to bob: hello ✓\n--- now ---\nbob> ▏");
  });
});
