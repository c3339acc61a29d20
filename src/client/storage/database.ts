/** The file `talk.db`: opening it, its tables, and its permissions. */
import { Database, SQLiteError } from "bun:sqlite";
import { chmodSync, closeSync, fchmodSync, lstatSync, openSync, rmSync, statSync } from "node:fs";
import { errorCode, TalkError } from "../../core/errors.ts";
import { followLinks } from "../state-directory.ts";
import { readHistoryFile } from "./history-file.ts";

/** Marks the file as ours in its header ("TLKC", https://www.sqlite.org/pragma.html#pragma_application_id). */
const APPLICATION_ID = 0x544c4b43;

/** Bumped with every change to the tables; a file with a higher version is left alone. */
const SCHEMA_VERSION = 2;

/** How long opening waits for another client creating the tables, in milliseconds. */
const OPEN_TIMEOUT_MS = 500;

/** How long later calls wait for another client's write, in milliseconds: short, because they block the keyboard. */
const BUSY_TIMEOUT_MS = 15;

/** Migrations from each version to the next. `attempts` was added while the version was still 1. */
const MIGRATIONS: Record<number, (database: Database) => void> = {
  1(database) {
    const hasAttempts =
      database.query("SELECT 1 FROM pragma_table_info('waiting') WHERE name = 'attempts'").get() !== null;
    if (!hasAttempts) database.run("ALTER TABLE waiting ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0");
    database.run("DROP INDEX IF EXISTS messages_waiting");
    database.run(`CREATE INDEX IF NOT EXISTS ${UNSETTLED}`);
  },
};

const UNSETTLED = `messages_unsettled ON messages (chat, user)
    WHERE mine = 1 AND (outcome IS NULL OR outcome = 'waiting')`;

const TABLES = `
  -- One chat per user and registry, keyed by a hash of both; the sums tell when to delete the oldest messages.
  CREATE TABLE chats (
    id INTEGER PRIMARY KEY,
    registry TEXT NOT NULL, me TEXT NOT NULL,
    messages INTEGER NOT NULL, characters INTEGER NOT NULL
  ) STRICT;
  -- In display order. Mine went to the user, others came from it; outcome is null while in flight.
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    chat INTEGER NOT NULL,
    at INTEGER NOT NULL,
    user TEXT NOT NULL,
    mine INTEGER NOT NULL, outcome TEXT,
    doubtful INTEGER NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX messages_by_chat ON messages (chat);
  CREATE INDEX messages_by_user ON messages (chat, user);
  CREATE INDEX ${UNSETTLED};
  -- Texts to absent users, in sending order. taken is set once the name was seen at another host; attempts counts sends
  -- that began but whose outcome is unknown.
  CREATE TABLE waiting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat INTEGER NOT NULL,
    user TEXT NOT NULL, host TEXT NOT NULL,
    at INTEGER NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX waiting_by_user ON waiting (chat, user);
  -- Typed lines, without duplicates.
  CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    line TEXT NOT NULL UNIQUE
  ) STRICT;`;

/**
 * Opens the file, or creates it, readable only by its user; imports lines from an older history file once.
 * @param historyFile path of that file
 * @throws TalkError if the file is not ours, or newer than we are; SQLiteError or a system error if it cannot be opened
 */
export function openDatabase(link: string, historyFile: string): Database {
  // SQLite does not create the target of a symbolic link.
  const path = followLinks(link);
  createPrivate(path);
  const database = new Database(path, { readwrite: true, create: true, strict: true });
  try {
    database.run(`PRAGMA busy_timeout = ${OPEN_TIMEOUT_MS}`);
    // Check before the next line, which would switch another program's file to a write-ahead log.
    checkOwner(database, path);
    makePrivate(path);
    database.run("PRAGMA journal_mode = WAL");
    // Commits survive a crash of the process; only a power failure may lose the last ones.
    database.run("PRAGMA synchronous = NORMAL");
    // A checkpoint waits for the disk and would block the keyboard, so the store runs it when idle.
    database.run("PRAGMA wal_autocheckpoint = 0");
    const isNew = database.transaction(() => createTables(database, historyFile)).immediate();
    if (isNew) removeFile(historyFile);
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The same tables, in memory. */
export function openInMemory(): Database {
  const database = new Database(":memory:", { strict: true });
  database.run(TABLES);
  return database;
}

/** Why nothing can be stored, for people. */
export function reasonOf(error: unknown): string {
  if (error instanceof TalkError) return error.message;
  const code = error instanceof SQLiteError ? error.code : errorCode(error);
  return REASONS[code ?? ""] ?? code ?? String(error);
}

const REASONS: Record<string, string> = {
  SQLITE_FULL: "the disk is full",
  ENOSPC: "the disk is full",
  SQLITE_READONLY: "the file cannot be written",
  SQLITE_READONLY_DIRECTORY: "its folder cannot be written",
  SQLITE_CANTOPEN: "it cannot be opened",
  SQLITE_NOTADB: "it is not an SQLite file",
  SQLITE_ERROR: "its tables are not those of Talk; move it away to start a new one",
  SQLITE_CORRUPT: "the file is damaged; move it away to start a new one",
  SQLITE_BUSY: "another program holds it",
  EACCES: "you may not write there",
  EROFS: "the disk is read-only",
};

/** Creates a file only its user can read, if missing. SQLite gives its side files the same mode, whatever the umask. */
export function createPrivate(path: string): void {
  try {
    const descriptor = openSync(path, "wx", 0o600);
    // Override the umask, which may have removed our own access.
    fchmodSync(descriptor, 0o600);
    closeSync(descriptor);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    if (!statSync(path).isFile()) throw new TalkError("storage", "it is not a regular file");
  }
}

/** Restricts an existing file, and side files a crash may have left, to its user. */
function makePrivate(path: string): void {
  // Windows has no file modes.
  if (process.platform === "win32") return;
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) !== 0) chmodSync(file, 0o600);
  }
}

function checkOwner(database: Database, path: string): void {
  const id = pragma(database, "application_id");
  const version = pragma(database, "user_version");
  const isEmpty = database.query("SELECT 1 FROM sqlite_schema LIMIT 1").get() === null;
  if (isEmpty && id === 0 && version === 0) return;
  if (id !== APPLICATION_ID) throw new TalkError("storage", "it belongs to another program");
  if (version > SCHEMA_VERSION)
    throw new TalkError("storage", `${path} was written by a newer version of Talk`);
}

/** Creates the tables, or migrates those of an older version. @returns whether they were created */
function createTables(database: Database, historyFile: string): boolean {
  // Check again under the lock: another client may have been faster.
  const version = pragma(database, "user_version");
  if (version === SCHEMA_VERSION) return false;
  database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  if (version > 0) {
    for (let from = version; from < SCHEMA_VERSION; from++) MIGRATIONS[from]?.(database);
    return false;
  }
  database.run(TABLES);
  database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
  const insert = database.query("INSERT OR REPLACE INTO history (line) VALUES (?)");
  for (const line of readHistoryFile(historyFile)) insert.run(line);
  return true;
}

function pragma(database: Database, name: "application_id" | "user_version"): number {
  const row = database.query<Record<string, number>, []>(`PRAGMA ${name}`).get();
  return row?.[name] ?? 0;
}

/** Removes a regular file, but not a symbolic link, which somebody put there on purpose. */
function removeFile(path: string): void {
  try {
    if (lstatSync(path).isFile()) rmSync(path);
  } catch {
    // Missing, or cannot be removed: either way, its lines are imported.
  }
}
