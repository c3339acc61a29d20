/** A SQLite file is looked at before it is written to. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../src/registry/stores/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { listed, start, startRegistry } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 } as const;

/** What Talk wrote before its files had an application id. */
const FIRST_FORMAT = `
  CREATE TABLE users (user TEXT PRIMARY KEY, protocol TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,
    registration INTEGER NOT NULL, owner TEXT, seen INTEGER) STRICT, WITHOUT ROWID;
  CREATE TABLE reservations (user TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX reservations_by_age ON reservations (until);
  CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, users INTEGER NOT NULL,
    checker TEXT NOT NULL, checker_until INTEGER NOT NULL) STRICT;
  INSERT INTO users VALUES ('alice', 'HTTP', '127.0.0.1', 8080, 1, NULL, NULL);
  INSERT INTO state VALUES (1, 7, 1, '', 0);`;

/** A file made by some SQL, in a folder of its own. */
function made(...sql: string[]): string {
  const path = join(temporaryFolder(), "users.db");
  const database = new Database(path);
  for (const statement of sql) database.run(statement);
  database.close();
  return path;
}

/** Every file of a folder with its bytes. */
function files(path: string): [string, string][] {
  const folder = join(path, "..");
  return readdirSync(folder)
    .sort()
    .map((name) => [name, readFileSync(join(folder, name)).toString("base64")]);
}

async function refusal(path: string): Promise<string> {
  return openStore(`sqlite:${path}`).then(
    () => "opened",
    (error) => String(error.message),
  );
}

async function opened(path: string) {
  const store = await openStore(`sqlite:${path}`);
  afterwards(() => store.close());
  return store;
}

describe("another program's SQLite file is refused and left unchanged:", () => {
  test.each([
    ["with users", ["CREATE TABLE users (id INTEGER, email TEXT)", "INSERT INTO users VALUES (1, 'a@b')"]],
    [
      "with users that look like ours",
      ["CREATE TABLE users (user TEXT, protocol TEXT, host TEXT, port INTEGER, registration INTEGER)"],
    ],
    ["with other tables", ["CREATE TABLE orders (id)", "CREATE TABLE state (one)"]],
    ["with a write-ahead log", ["PRAGMA journal_mode = WAL", "CREATE TABLE users (id INTEGER)"]],
    ["with an application id and no tables", ["PRAGMA application_id = 252006674"]],
    [
      "with our tables and another application id",
      ["PRAGMA application_id = 1", ...FIRST_FORMAT.split(";\n")],
    ],
  ])("%s", async (_, sql) => {
    const path = made(...sql);
    const before = files(path);
    expect(await refusal(path)).toMatch(
      /^cannot open the store \S+: it belongs to another program \((tables: [a-z, ]+|application id \d+)\); choose another file\.$/,
    );
    expect(files(path)).toEqual(before);
  });

  test("while that program has it open", async () => {
    const path = made("PRAGMA journal_mode = WAL");
    const theirs = new Database(path);
    afterwards(() => theirs.close());
    theirs.run("CREATE TABLE users (email TEXT)");
    theirs.run("INSERT INTO users VALUES ('a@b')");
    const unshared = () => files(path).filter(([name]) => !name.endsWith("-shm"));
    const before = unshared();
    expect(before.map(([name]) => name)).toEqual(["users.db", "users.db-wal"]);
    expect(await refusal(path)).toContain("another program (tables: users)");
    expect(unshared()).toEqual(before);
  });

  test("from the command line, in one line", async () => {
    const path = made("CREATE TABLE users (email TEXT)");
    const registry = start("src/registry/main.ts", ["--port", "0", "--store", `sqlite:${path}`]);
    expect(await registry.exited).toBe(1);
    expect(registry.lines).toEqual([
      `error: cannot open the store ${path}: it belongs to another program (tables: users); choose another file.`,
    ]);
  });
});

test("a file written by a later version of Talk is refused and left unchanged", async () => {
  const path = made();
  await (await openStore(`sqlite:${path}`)).close();
  const later = new Database(path);
  later.run("PRAGMA user_version = 2");
  later.close();
  const before = files(path);
  expect(await refusal(path)).toBe(
    `cannot open the store ${path}: a later version of Talk wrote it (format 2; this one knows 1); use that version, or another file.`,
  );
  expect(files(path)).toEqual(before);
});

describe("a SQLite file is accepted", () => {
  test("from before files had an application id, with its users, and then gets one", async () => {
    const path = made(...FIRST_FORMAT.split(";\n"));
    const store = await opened(path);
    expect(await store.get("alice")).toEqual(HERE);
    expect(await store.version()).toBe("7");
    await store.close();
    const database = new Database(path, { readonly: true });
    afterwards(() => database.close());
    expect(database.query("PRAGMA application_id").get()).toEqual({ application_id: 0x54616c6b });
    expect(database.query("PRAGMA user_version").get()).toEqual({ user_version: 1 });
  });

  test("that is empty, or an empty database", async () => {
    const empty = join(temporaryFolder(), "users.db");
    writeFileSync(empty, "");
    const bare = made("PRAGMA journal_mode = WAL");
    for (const path of [empty, bare]) expect(await (await opened(path)).create("alice", HERE)).toBe("done");
  });

  test("after kill -9, and at a path with characters that are special in URLs", async () => {
    const store = `sqlite:${join(temporaryFolder(), "users?mode=ro#%41.db")}`;
    const first = await startRegistry("--store", store);
    const body = JSON.stringify(HERE);
    const headers = { "content-type": "application/json" };
    await fetch(`${first.url}/v1/users/alice`, { method: "PUT", headers, body });
    first.kill("SIGKILL");
    await first.exited;
    expect(await listed(await startRegistry("--store", store))).toEqual({ alice: HERE });
  });

  test("by many registries that create it at once", async () => {
    const path = join(temporaryFolder(), "users.db");
    const registries = await Promise.all(
      Array.from({ length: 6 }, () => startRegistry("--store", `sqlite:${path}`)),
    );
    for (const registry of registries) expect(await listed(registry)).toEqual({});
  });
});
