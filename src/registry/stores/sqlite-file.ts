/** The SQLite file: opens it, creates its tables and translates its errors. */
import { constants, Database, SQLiteError } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { StoreUnavailable } from "../../core/errors.ts";
import type { StoreOptions } from "./types.ts";

/** How long opening waits for another registry on the same file, in milliseconds. */
const OPEN_TIMEOUT_MS = 2000;

/** How often it retries meanwhile, in milliseconds. */
const BUSY_RETRY_MS = 10;

/** SQLite's own timeout once open, in milliseconds. Short, because it blocks all requests; writes retry by themselves. */
const BUSY_TIMEOUT_MS = 20;

/** `seen` is unused, but an earlier Talk on the same file still reads it. */
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

/** `Talk` in ASCII, in the file's header (https://www.sqlite.org/fileformat2.html#application_id). */
const APPLICATION_ID = 0x54616c6b;

/** The schema version, raised when an earlier Talk could no longer use the file. */
const FORMAT = 1;

/** The columns of `users`, which identify our files from before they had an application id. */
const COLUMNS = "host,owner,port,protocol,registration,seen,user";

const CHECK = "check the file, its folder and the disk";

/** Opens the file, and creates it unless `mustExist`. @throws StoreUnavailable */
export function openFile(
  path: string,
  durability: NonNullable<StoreOptions["durability"]>,
  mustExist = false,
): Database {
  return opening(path, () => {
    const deadline = performance.now() + OPEN_TIMEOUT_MS;
    for (;;) {
      try {
        refuseForeign(path);
        return prepare(new Database(path, { create: !mustExist, readwrite: true, strict: true }), durability);
      } catch (error) {
        // SQLite's timeout does not cover the switch to WAL while another process creates the file.
        const busy = error instanceof SQLiteError && error.code?.startsWith("SQLITE_BUSY");
        if (!busy || performance.now() > deadline) throw error;
        Bun.sleepSync(BUSY_RETRY_MS);
      }
    }
  });
}

/** Sets the pragmas and creates the tables; closes the database on failure. */
function prepare(database: Database, durability: "process" | "power"): Database {
  try {
    // First, because the next line already takes a lock.
    database.run(`PRAGMA busy_timeout = ${OPEN_TIMEOUT_MS}`);
    database.run("PRAGMA journal_mode = WAL");
    database.run(`PRAGMA synchronous = ${durability === "power" ? "FULL" : "NORMAL"}`);
    database
      .transaction(() => {
        database.run(TABLES);
        database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
        database.run(`PRAGMA user_version = ${FORMAT}`);
      })
      .immediate();
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Runs a step of opening the file. @throws StoreUnavailable with SQLite's reason */
export function opening<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SQLiteError)) throw error;
    throw new StoreUnavailable(`cannot open the store ${path}: ${error.message}; ${CHECK}.`);
  }
}

/** Runs a query. @param cannot what failed, such as `cannot be read`. @throws StoreUnavailable */
export function guarded<T>(cannot: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw asUnavailable(cannot, error);
  }
}

/** Translates an SQLite error, with its reason for the operator only; returns any other error unchanged. */
export function asUnavailable(cannot: string, error: unknown): unknown {
  if (!(error instanceof SQLiteError)) return error;
  return new StoreUnavailable(
    `The store ${cannot} now; try again soon.`,
    `it ${cannot}: ${error.message}; ${CHECK}`,
  );
}

/** Inspects a file before writing to it. @throws StoreUnavailable if it belongs to another program or a later Talk */
function refuseForeign(path: string): void {
  if (!existsSync(path) || statSync(path).size === 0) return;
  const database = openToLook(path);
  try {
    const { application_id: owner } =
      database.query<{ application_id: number }, []>("PRAGMA application_id").get() ?? {};
    const { user_version: format = 0 } =
      database.query<{ user_version: number }, []>("PRAGMA user_version").get() ?? {};
    if (owner === APPLICATION_ID) {
      if (format <= FORMAT) return;
      throw new StoreUnavailable(
        `cannot open the store ${path}: a later version of Talk wrote it (format ${format}; this one knows ${FORMAT}); use that version, or another file.`,
      );
    }
    const tables = database
      .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all();
    if (owner === 0 && (tables.length === 0 || hasOurColumns(database))) return;
    const names = tables.map(({ name }) => name);
    const some = names.slice(0, MAX_TOLD).join(", ") + (names.length > MAX_TOLD ? ", …" : "");
    throw new StoreUnavailable(
      `cannot open the store ${path}: it belongs to another program (${some ? `tables: ${some}` : `application id ${owner}`}); choose another file.`,
    );
  } finally {
    database.close();
  }
}

/** Most tables named in that error. */
const MAX_TOLD = 5;

function hasOurColumns(database: Database): boolean {
  const columns = database
    .query<{ name: string }, []>("SELECT name FROM pragma_table_info('users') ORDER BY name")
    .all();
  return columns.map(({ name }) => name).join() === COLUMNS;
}

/**
 * Opens a file without leaving a trace. Even a reader would create missing WAL files; where they are missing, the
 * database file is complete without them, so it is opened as immutable (https://www.sqlite.org/uri.html#uriimmutable).
 */
function openToLook(path: string): Database {
  if (existsSync(`${path}-wal`) || existsSync(`${path}-journal`))
    return new Database(path, { readonly: true });
  const flags = constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI;
  return new Database(`${pathToFileURL(path).href}?immutable=1`, flags);
}
