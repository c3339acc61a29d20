import { Database, SQLiteError } from "bun:sqlite";
import { StoreUnavailable } from "../../core/errors.ts";
import type { Address, UserName } from "../../core/schemas.ts";
import type { Store } from "../store.ts";

/** How long a write waits for another registry on the same file, in milliseconds. */
const BUSY_TIMEOUT_MS = 2000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    user TEXT PRIMARY KEY,
    protocol TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,
    registration INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`;

/** A new registration's id: random, because several registries write; 53 bits, so that a number holds it. */
const VALUES = "VALUES ($user, $protocol, $host, $port, random() >> 11)";

type Row = Address & { user: UserName; id: number };

/**
 * Users in an SQLite file, which several registries of one machine may share. A write that was answered
 * survives the end of the process (WAL, https://www.sqlite.org/wal.html). @throws StoreUnavailable
 */
export function openSqlite(path: string): Store {
  const database = guarded(`cannot open the store ${path}`, () => open(path));
  const insert = database.query(`INSERT INTO users ${VALUES} ON CONFLICT DO NOTHING`);
  const upsert = database.query(`INSERT OR REPLACE INTO users ${VALUES}`);
  const remove = database.query("DELETE FROM users WHERE user = $user");
  const removeOnly = database.query("DELETE FROM users WHERE user = $user AND registration = $registration");
  const select = database.query<Address, { user: UserName }>(
    "SELECT protocol, host, port FROM users WHERE user = $user",
  );
  const selectAll = database.query<Row, []>(
    "SELECT user, protocol, host, port, registration AS id FROM users",
  );
  const dataVersion = database.query<{ data_version: number }, []>("PRAGMA data_version");
  let ownChanges = 0;

  function write(run: () => { changes: number }): boolean {
    const { changes } = guarded("The store cannot be written now", run);
    if (changes > 0) ownChanges++;
    return changes > 0;
  }

  function read<T>(run: () => T): T {
    return guarded("The store cannot be read now", run);
  }

  return {
    create: (user, address) => write(() => insert.run({ user, ...address })),
    put(user, address) {
      write(() => upsert.run({ user, ...address }));
    },
    remove: (user, registration) =>
      write(() =>
        registration === undefined ? remove.run({ user }) : removeOnly.run({ user, registration }),
      ),
    get: (user) => read(() => select.get({ user })) ?? undefined,
    registrations: () =>
      read(() => selectAll.all()).map(({ user, id, ...address }) => ({ user, address, id })),
    // data_version moves when another connection commits, and only then.
    version: () => `${read(() => dataVersion.get())?.data_version}.${ownChanges}`,
    close: () => database.close(),
  };
}

function open(path: string): Database {
  const database = new Database(path, { create: true, readwrite: true, strict: true });
  // First of all: the next line already takes a lock.
  database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = NORMAL");
  database.run(SCHEMA);
  return database;
}

/** SQLite's errors as ours, with its reason. */
function guarded<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SQLiteError)) throw error;
    throw new StoreUnavailable(`${what}: ${error.message}; check the file, its folder and the disk.`);
  }
}
