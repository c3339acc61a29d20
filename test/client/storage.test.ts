/** What a client keeps for its user in one file. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openStorage, type Storage } from "../../src/client/storage/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { root } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

const REGISTRY = "http://localhost:8088";
const DAY_MS = 24 * 60 * 60 * 1000;

interface Opened extends Storage {
  trouble: string[];
}

function open(folder: string, now?: () => number): Opened {
  const trouble: string[] = [];
  const storage = openStorage({
    path: join(folder, "talk.db"),
    historyFile: join(folder, "history"),
    onTrouble: (sentence) => trouble.push(sentence),
    ...(now && { now }),
  });
  afterwards(storage.close);
  return { ...storage, trouble };
}

const alice = (storage: Storage) => storage.of(REGISTRY, "alice", true);

test("nothing is made before something is kept", () => {
  const folder = temporaryFolder();
  const storage = open(folder);
  const { transcript, waiting } = alice(storage);
  expect([transcript.last(undefined, 10), waiting.summary(), storage.history.lines()]).toEqual([[], [], []]);
  expect(readdirSync(folder)).toEqual([]);
});

test.skipIf(process.platform === "win32")(
  "nobody else can read a file of it, whatever the umask is",
  async () => {
    for (const umask of ["000", "022", "777"]) {
      const folder = join(temporaryFolder(), "state/talk");
      const script = `
      process.umask(0o${umask});
      const { openStorage } = await import("${root}/src/client/storage/index.ts");
      const storage = openStorage({ path: "${folder}/talk.db", historyFile: "", onTrouble: console.log });
      const { transcript, waiting } = storage.of("r", "alice", true);
      transcript.heard("bob", "hello", false);
      transcript.commit();
      waiting.lock();
      process.stdout.write("kept\\n");
      process.kill(process.pid, "SIGKILL");`;
      const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
      expect(await new Response(child.stdout).text()).toBe("kept\n");
      const files = readdirSync(folder);
      expect(files.toSorted()).toContain("talk.db-wal");
      expect(files.map((file) => (statSync(join(folder, file)).mode & 0o777).toString(8))).toEqual(
        files.map(() => "600"),
      );
      if (umask !== "777") expect((statSync(folder).mode & 0o777).toString(8)).toBe("700");
    }
  },
);

test("a file that others could read is made private", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "talk.db"), "", { mode: 0o644 });
  const { transcript } = alice(open(folder));
  transcript.heard("bob", "hello", false);
  transcript.commit();
  expect(statSync(join(folder, "talk.db")).mode & 0o777).toBe(0o600);
});

test.skipIf(process.platform === "win32")("what a crash has left beside it is made private, too", () => {
  const [crashed, folder] = [temporaryFolder(), temporaryFolder()];
  const { transcript } = alice(open(crashed));
  transcript.heard("bob", "hello", false);
  transcript.commit();
  for (const file of readdirSync(crashed)) {
    copyFileSync(join(crashed, file), join(folder, file));
    chmodSync(join(folder, file), 0o644);
  }
  expect(readdirSync(folder)).toContain("talk.db-wal");
  expect(alice(open(folder)).transcript.last(undefined, 10).length).toBe(1);
  const modes = ["talk.db", "talk.db-shm", "talk.db-wal"].map((file) => statSync(join(folder, file)).mode);
  expect(modes.map((mode) => mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
});

test.skipIf(process.platform === "win32")("another program's file keeps its mode", () => {
  const folder = temporaryFolder();
  const theirs = join(temporaryFolder(), "theirs.db");
  writeFileSync(theirs, foreign("CREATE TABLE messages (x)"), { mode: 0o644 });
  symlinkSync(theirs, join(folder, "talk.db"));
  const storage = open(folder);
  storage.history.add("typed");
  expect(storage.trouble.length).toBe(1);
  expect(statSync(theirs).mode & 0o777).toBe(0o644);
});

test("a file of an older version is brought up to date, and what waits in it is still sent", () => {
  const folder = temporaryFolder();
  const first = open(folder);
  alice(first).waiting.add("bob", "10.0.0.1", "hello");
  first.close();
  const old = new Database(join(folder, "talk.db"));
  old.run("ALTER TABLE waiting DROP COLUMN attempts");
  old.run("DROP INDEX messages_unsettled");
  old.run("CREATE INDEX messages_waiting ON messages (chat, user) WHERE outcome = 'waiting'");
  old.run("PRAGMA user_version = 1");
  old.close();
  const second = open(folder);
  const { transcript, waiting } = alice(second);
  expect(waiting.first("bob", "10.0.0.1", 1)).toMatchObject([{ text: "hello", attempts: 0 }]);
  expect(waiting.begin(1)).toBe(true);
  transcript.heard("bob", "good morning", false);
  expect(transcript.last("bob", 1).length).toBe(1);
  expect(second.trouble).toEqual([]);
});

test("what was said is told to who asks, by registry and name, with what became of it", () => {
  const folder = temporaryFolder();
  const first = open(folder, () => 1000);
  const { transcript } = alice(first);
  transcript.heard("bob", "hello \0 \ud83d\ude00", true);
  transcript.sending(0, "bob", "good morning");
  transcript.sending(1, "carol", "and you");
  transcript.commit();
  transcript.settled(0, "delivered");
  first.close();
  const second = open(folder);
  expect(alice(second).transcript.last(undefined, 10)).toEqual([
    { at: 1000, user: "bob", mine: false, outcome: undefined, doubtful: true, text: "hello \0 \ud83d\ude00" },
    { at: 1000, user: "bob", mine: true, outcome: "delivered", doubtful: false, text: "good morning" },
    { at: 1000, user: "carol", mine: true, outcome: undefined, doubtful: false, text: "and you" },
  ]);
  expect(
    alice(second)
      .transcript.last("bob", 1)
      .map(({ text }) => text),
  ).toEqual(["good morning"]);
  expect(second.of("http://other:8088", "alice", true).transcript.last(undefined, 10)).toEqual([]);
  expect(second.of(REGISTRY, "bob", true).transcript.last(undefined, 10)).toEqual([]);
});

test("a word is found in whatever case and script, and means itself alone", () => {
  const { transcript } = alice(open(temporaryFolder()));
  for (const text of ["The ÄRA began", "100%", "100", "a_b", "axb"]) transcript.heard("bob", text, false);
  const found = (word: string) => transcript.find(word, 10).map(({ text }) => text);
  expect(found("ära")).toEqual(["The ÄRA began"]);
  expect(found("100%")).toEqual(["100%"]);
  expect(found("A_B")).toEqual(["a_b"]);
  expect(found(".")).toEqual([]);
});

test("of more than 100,000 messages the oldest go", () => {
  const folder = temporaryFolder();
  const { transcript } = alice(open(folder));
  for (let i = 0; i < 101_000; i++) {
    transcript.heard(`user-${i % 20}`, `message ${i}`, false);
    if (i % 1000 === 999) transcript.commit();
  }
  const kept = transcript.last(undefined, 200_000);
  expect(kept.length).toBeGreaterThanOrEqual(100_000);
  expect(kept.length).toBeLessThan(100_600);
  expect(kept.at(-1)?.text).toBe("message 100999");
  expect(transcript.find("no such thing", 10)).toEqual([]);
});

test("what is a year older than the last message goes, whatever the clock says", () => {
  const folder = temporaryFolder();
  let time = 10_000 * DAY_MS;
  const say = (text: string) => {
    const storage = open(folder, () => time);
    const { transcript } = alice(storage);
    transcript.heard("bob", text, false);
    transcript.commit();
    const kept = transcript.last(undefined, 10).map(({ text }) => text);
    storage.close();
    return kept;
  };
  say("one");
  time += 200 * DAY_MS;
  say("two");
  time += 200 * DAY_MS;
  expect(say("three")).toEqual(["two", "three"]);
  expect(say("four")).toEqual(["two", "three", "four"]);
});

test("what waits goes out in order, is bounded for each user, and is forgotten after 7 days, whatever the clock does", () => {
  const folder = temporaryFolder();
  let time = 100 * DAY_MS;
  const { waiting } = alice(open(folder, () => time));
  for (let i = 0; i < 1000; i++) waiting.add("bob", "10.0.0.1", String(i));
  expect(waiting.add("bob", "10.0.0.1", "one too many")).toBe("full");
  expect(waiting.add("carol", "10.0.0.2", "for carol")).toMatchObject({ id: 1001 });
  const first = waiting.first("bob", "10.0.0.1", 3);
  expect(first.map(({ text }) => text)).toEqual(["0", "1", "2"]);
  waiting.remove(first.map(({ id }) => id));
  expect(waiting.first("bob", "10.0.0.1", 1).map(({ text }) => text)).toEqual(["3"]);
  time += 7 * DAY_MS;
  expect(waiting.expired()).toEqual([]);
  // Set back by years, and right again: nothing waits for longer because of it.
  time -= 90 * DAY_MS;
  expect(waiting.expired()).toEqual([]);
  time += 7 * DAY_MS + 1;
  const expired = waiting.expired();
  expect(expired.length).toBe(998);
  waiting.remove(expired.map(({ id }) => id));
  expect(waiting.summary()).toEqual([]);
});

test("a text that waits is in the transcript first, and its outcome is before it no longer waits", () => {
  const folder = temporaryFolder();
  const { transcript, waiting } = alice(open(folder));
  const add = (text: string) => waiting.add("bob", "10.0.0.1", text);
  /** What another process finds, as the next one would after a crash. */
  function stored(): string[] {
    using database = new Database(join(folder, "talk.db"), { readonly: true });
    const rows = database
      .query(
        "SELECT text, outcome, EXISTS (SELECT 1 FROM waiting WHERE waiting.text = messages.text) FROM messages",
      )
      .values();
    return rows.map(([text, outcome, waits]) => `${text}: ${outcome}${waits === 1 ? ", waits" : ""}`);
  }
  transcript.sending(1, "bob", "one");
  const one = add("one");
  expect(stored()).toEqual(["one: null, waits"]);
  transcript.settled(1, "waiting");
  transcript.sending(2, "bob", "two");
  add("two");
  transcript.settled(2, "waiting");
  transcript.waited("bob", "one", "broken");
  if (typeof one === "object") waiting.remove([one.id]);
  expect(stored()).toEqual(["one: broken", "two: waiting, waits"]);
  transcript.dropped("bob");
  waiting.drop("bob");
  expect(stored()).toEqual(["one: broken", "two: failed"]);
});

test("what waits is for a host, until somebody has the name elsewhere or it is sent there on purpose", () => {
  const { waiting } = alice(open(temporaryFolder()));
  waiting.add("bob", "10.0.0.1", "secret");
  waiting.seenAt("bob", "10.0.0.1");
  expect(waiting.first("bob", "10.0.0.1", 1).length).toBe(1);
  waiting.seenAt("bob", "10.0.0.2");
  expect(waiting.first("bob", "10.0.0.1", 1)).toEqual([]);
  expect(waiting.first("bob", "10.0.0.2", 1)).toEqual([]);
  waiting.redirect("bob", "10.0.0.2");
  expect(waiting.first("bob", "10.0.0.2", 1).length).toBe(1);
  expect([waiting.drop("carol"), waiting.drop("bob")]).toEqual([0, 1]);
});

test("of two clients of one name one sends what waits, until it lets go or ends", async () => {
  const folder = temporaryFolder();
  const { waiting } = alice(open(folder));
  const script = `
    const { openStorage } = await import("${root}/src/client/storage/index.ts");
    const storage = openStorage({ path: "${folder}/talk.db", historyFile: "", onTrouble: console.log });
    storage.of("${REGISTRY}", "alice", true).waiting.lock();
    process.stdout.write("locked\\n");
    await Bun.stdin.text();`;
  const other = Bun.spawn([process.execPath, "-e", script], { stdin: "pipe", stdout: "pipe" });
  afterwards(() => other.kill("SIGKILL"));
  await other.stdout.getReader().read();
  expect(waiting.lock()).toBeUndefined();
  expect(open(folder).of(REGISTRY, "bob", true).waiting.lock()).toBeDefined();
  other.kill("SIGKILL");
  await other.exited;
  const unlock = waiting.lock();
  expect(unlock).toBeDefined();
  expect(waiting.lock()).toBeUndefined();
  unlock?.();
  expect(waiting.lock()).toBeDefined();
});

test("typed lines are kept for all clients, none twice, and move in from the file that held them before", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "history"), "one\ntwo\\nlines\n");
  const [first, second] = [open(folder), open(folder)];
  expect(first.history.lines()).toEqual(["one", "two\nlines"]);
  expect(existsSync(join(folder, "history"))).toBe(false);
  for (let i = 0; i < 50; i++) {
    first.history.add(`first ${i}`);
    second.history.add(`second ${i}`);
    second.history.add("both");
    first.history.add("both");
  }
  expect(open(folder).history.lines().length).toBe(103);
  expect(first.history.lines().at(-1)).toBe("both");
  for (let i = 0; i < 1010; i++) first.history.add(`line ${i}`);
  expect(open(folder).history.lines().slice(0, 1)).toEqual(["line 10"]);
});

test("a history file that is a link stays, and its lines come over", () => {
  const folder = temporaryFolder();
  const target = join(temporaryFolder(), "mine");
  writeFileSync(target, "one\n");
  symlinkSync(target, join(folder, "history"));
  const { history } = open(folder);
  history.add("two");
  expect(history.lines()).toEqual(["one", "two"]);
  expect(lstatSync(join(folder, "history")).isSymbolicLink()).toBe(true);
});

test.each([
  ["a text", () => Buffer.from("these are the notes of somebody".repeat(100)), "it is not an SQLite file"],
  ["another program's database", () => foreign("CREATE TABLE messages (x)"), "it belongs to another program"],
  [
    "a newer version's file",
    () => foreign("PRAGMA application_id = 0x544c4b43; PRAGMA user_version = 9"),
    "newer version",
  ],
])("%s in its place is left as it is, with one warning, and all goes on in memory", (_, make, why) => {
  const folder = temporaryFolder();
  const bytes = make();
  writeFileSync(join(folder, "talk.db"), bytes);
  const storage = open(folder);
  const { transcript, waiting } = alice(storage);
  transcript.heard("bob", "hello", false);
  storage.history.add("typed");
  expect(waiting.add("bob", "10.0.0.1", "later")).toMatchObject({ id: 1 });
  expect(transcript.last("bob", 10).map(({ text }) => text)).toEqual(["hello"]);
  expect(storage.history.lines()).toEqual(["typed"]);
  expect(storage.trouble.length).toBe(1);
  expect(storage.trouble[0]).toContain(why);
  expect(Buffer.from(Bun.mmap(join(folder, "talk.db"))).equals(bytes)).toBe(true);
  expect(readdirSync(folder)).toEqual(["talk.db"]);
});

test("a file that is ours by its mark alone is told of in words", () => {
  const folder = temporaryFolder();
  const mark = "PRAGMA application_id = 0x544c4b43; PRAGMA user_version = 2";
  writeFileSync(join(folder, "talk.db"), foreign(`CREATE TABLE x (y); ${mark}`));
  const storage = open(folder);
  storage.history.add("typed");
  expect(storage.history.lines()).toEqual(["typed"]);
  expect(storage.trouble.join()).toContain("its tables are not those of Talk");
});

test("another client that holds the file costs nothing but time, and no warning", async () => {
  const folder = temporaryFolder();
  const storage = open(folder);
  const { transcript } = alice(storage);
  transcript.heard("bob", "one", false);
  transcript.commit();
  const other = new Database(join(folder, "talk.db"));
  other.run("BEGIN IMMEDIATE");
  transcript.heard("bob", "two", false);
  transcript.commit();
  expect(transcript.last("bob", 10).map(({ text }) => text)).toEqual(["one"]);
  other.run("COMMIT");
  // Tried again a second later, without being asked to.
  const reader = new Database(join(folder, "talk.db"), { readonly: true });
  const count = () => reader.query("SELECT count(*) FROM messages").values().flat()[0];
  while (count() !== 2) await Bun.sleep(20);
  expect(transcript.last("bob", 10).map(({ text }) => text)).toEqual(["one", "two"]);
  expect(storage.trouble).toEqual([]);
  for (const database of [other, reader]) database.close();
});

function foreign(sql: string): Buffer {
  const path = join(temporaryFolder(), "foreign.db");
  const database = new Database(path, { create: true });
  database.run(sql);
  database.close();
  return Buffer.from(Bun.mmap(path));
}
