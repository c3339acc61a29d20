/** The SQLite file: opening it, the tables in it, and its errors as ours. */
import { Database, SQLiteError } from "bun:sqlite";
import { StoreUnavailable } from "../../core/errors.ts";
import type { StoreOptions } from "../store.ts";

/** How long opening waits for another registry on the same file, in milliseconds. */
const OPEN_TIMEOUT_MS = 2000;

/** The same for everything later, which is short, because it holds up all requests: writes try again by themselves. */
const BUSY_TIMEOUT_MS = 20;

const TABLES = `
  CREATE TABLE IF NOT EXISTS users (
    user TEXT PRIMARY KEY,
    protocol TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,
    registration INTEGER NOT NULL,
    owner TEXT, seen INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS reservations (
    user TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS reservations_by_age ON reservations (until);
  CREATE TABLE IF NOT EXISTS state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL, users INTEGER NOT NULL,
    checker TEXT NOT NULL, checker_until INTEGER NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO state SELECT 1, 0, count(*), '', 0 FROM users;`;

/** Opens the file, or makes it unless it must be there. @throws StoreUnavailable */
export function openFile(
  path: string,
  durability: NonNullable<StoreOptions["durability"]>,
  mustExist = false,
): Database {
  return guarded(`cannot open the store ${path}`, () => {
    const database = new Database(path, { create: !mustExist, readwrite: true, strict: true });
    // First of all: the next line already takes a lock.
    database.run(`PRAGMA busy_timeout = ${OPEN_TIMEOUT_MS}`);
    database.run("PRAGMA journal_mode = WAL");
    database.run(`PRAGMA synchronous = ${durability === "power" ? "FULL" : "NORMAL"}`);
    database
      .transaction(() => {
        addMissingColumns(database);
        database.run(TABLES);
      })
      .immediate();
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return database;
  });
}

/** Runs something on the database. @throws StoreUnavailable with `what`, and SQLite's reason, when that fails */
export function guarded<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw asUnavailable(what, error);
  }
}

/** An error of SQLite as ours; any other as it is. */
export function asUnavailable(what: string, error: unknown): unknown {
  if (!(error instanceof SQLiteError)) return error;
  return new StoreUnavailable(`${what}: ${error.message}; check the file, its folder and the disk.`);
}

/** Files of version 0.1 know neither owners nor when users were seen. */
function addMissingColumns(database: Database): void {
  const columns = database.query<{ name: string }, []>("SELECT name FROM pragma_table_info('users')").all();
  if (columns.length === 0) return;
  for (const [name, type] of [
    ["owner", "TEXT"],
    ["seen", "INTEGER"],
  ]) {
    if (!columns.some((column) => column.name === name))
      database.run(`ALTER TABLE users ADD COLUMN ${name} ${type}`);
  }
}
