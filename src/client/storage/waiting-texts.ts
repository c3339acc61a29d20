/** Texts for users who are away, until they are back. */
import { Database, SQLiteError } from "bun:sqlite";
import { join } from "node:path";
import type { UserName } from "../../core/schemas.ts";
import { createPrivate } from "./database.ts";
import type { LocalStore, QueryParameters } from "./local-store.ts";

/** Most texts that wait for one user; one more is refused. */
export const MAX_WAITING_PER_USER = 1000;

/** How long a text waits, in milliseconds: 7 days. */
const MAX_WAIT_MS = 7 * 24 * 60 * 60 * 1000;

export interface WaitingText {
  id: number;
  user: UserName;
  text: string;
  /** How often it was sent without our having heard what became of it, because the client ended. */
  attempts: number;
}

/** What waits for a user who was at a host. */
export interface WaitingFor {
  user: UserName;
  /** Where the user was when it was written, in one spelling per host. */
  host: string;
  /** Whether somebody has had the name at another host since. */
  taken: boolean;
  count: number;
  /** When the oldest was written, in milliseconds since 1970. */
  since: number;
}

export interface WaitingTexts {
  /** Takes in a text behind those before it; refused are one too many, and any while another client holds the file. */
  add(user: UserName, host: string, text: string): { id: number } | "full" | "busy";
  /** Whom texts wait for, sorted by name. */
  summary(): WaitingFor[];
  /** The oldest texts that wait, in order. */
  oldest(most: number): { user: UserName; at: number; text: string }[];
  /** The first texts that go to a user by themselves when it is back at a host, in order. */
  first(user: UserName, host: string, most: number): WaitingText[];
  /** Notes that a text is sent now, so that a crash meanwhile is known of; false if it must not leave now, as on a full disk. */
  begin(id: number): boolean;
  /** Notes that a text has not arrived, and waits on. */
  end(id: number): void;
  /** Where a user was when the last text was written that goes to it by itself. */
  hostFor(user: UserName): string | undefined;
  /** Forgets a text. */
  remove(id: number): void;
  /** Notes that somebody has the name at a host: what was written to it at another does not go by itself any more. */
  seenAt(user: UserName, host: string): void;
  /** Lets all that waits for a user go to it at a host. */
  redirect(user: UserName, host: string): void;
  /** Forgets what waits for a user, or for all, and tells how many texts that were. */
  drop(user: UserName | undefined): number;
  /** Forgets what has waited for too long, and tells what that was. */
  expire(): WaitingText[];
  /** Lets no other client of the same name send what waits; undefined while another does. Ends with this process. */
  lock(): (() => void) | undefined;
  /** Whether what waits is still there after the end of this process. */
  isKept(): boolean;
}

/** @param chat a hash of the registry and me @param now the time, in milliseconds since 1970 */
export function createWaitingTexts(store: LocalStore, chat: number, now: () => number): WaitingTexts {
  /** Sent or forgotten, while the file cannot be written: none must be sent again before that can be noted. */
  const gone = new Set<number>();

  function all<T>(query: string, bindings: QueryParameters = {}): T[] {
    forgetGone();
    return (
      store.read((database) => database.query<T, QueryParameters>(query).all({ chat, ...bindings })) ?? []
    );
  }

  function run(query: string, bindings: QueryParameters = {}): void {
    store.defer((database) => void database.query(query).run({ chat, ...bindings }));
    store.commit();
  }

  function remove(ids: readonly number[]): void {
    for (const id of ids) gone.add(id);
    store.defer((database) => {
      const query = database.query("DELETE FROM waiting WHERE id = $id");
      for (const id of ids) query.run({ id });
    });
    forgetGone();
  }

  /** What is gone need not be remembered once that is committed. */
  function forgetGone(): void {
    if (gone.size > 0 && store.write(() => true)) gone.clear();
  }

  return {
    add(user, host, text) {
      const result = store.write((database) => {
        const waiting = database
          .query<{ count: number }, QueryParameters>(
            "SELECT count(*) AS count FROM waiting WHERE chat = $chat AND user = $user",
          )
          .get({ chat, user });
        if ((waiting?.count ?? 0) >= MAX_WAITING_PER_USER) return "full";
        const { lastInsertRowid } = database
          .query("INSERT INTO waiting (chat, user, host, at, text) VALUES ($chat, $user, $host, $at, $text)")
          .run({ chat, user, host, at: now(), text });
        return { id: Number(lastInsertRowid) };
      });
      return result ?? "busy";
    },
    summary: () =>
      all<Omit<WaitingFor, "taken"> & { taken: number }>(
        `SELECT user, host, taken, count(*) AS count, min(at) AS since FROM waiting
         WHERE chat = $chat AND id NOT IN (SELECT value FROM json_each($gone)) GROUP BY user, host, taken ORDER BY user, min(id)`,
        { gone: JSON.stringify([...gone]) },
      ).map((row) => ({ ...row, taken: row.taken === 1 })),
    oldest: (most) =>
      all("SELECT user, at, text FROM waiting WHERE chat = $chat ORDER BY id LIMIT $most", { most }),
    first: (user, host, most) =>
      all<WaitingText>(
        `SELECT id, user, text, attempts FROM waiting
         WHERE chat = $chat AND user = $user AND host = $host AND taken = 0 ORDER BY id LIMIT $most`,
        { user, host, most: most + gone.size },
      )
        .filter(({ id }) => !gone.has(id))
        .slice(0, most),
    begin: (id) =>
      store.write(
        (database) =>
          database
            .query("UPDATE waiting SET attempts = attempts + 1 WHERE chat = $chat AND id = $id AND taken = 0")
            .run({ chat, id }).changes > 0,
      ) ?? false,
    end: (id) => run("UPDATE waiting SET attempts = attempts - 1 WHERE chat = $chat AND id = $id", { id }),
    hostFor: (user) =>
      all<{ host: string }>(
        "SELECT host FROM waiting WHERE chat = $chat AND user = $user AND taken = 0 ORDER BY id DESC LIMIT 1",
        { user },
      )[0]?.host,
    remove: (id) => remove([id]),
    seenAt: (user, host) =>
      run("UPDATE waiting SET taken = 1 WHERE chat = $chat AND user = $user AND host <> $host", {
        user,
        host,
      }),
    redirect: (user, host) =>
      run("UPDATE waiting SET host = $host, taken = 0 WHERE chat = $chat AND user = $user", { user, host }),
    drop(user) {
      const whose = user === undefined ? "" : "AND user = $user";
      const bindings: QueryParameters = user === undefined ? {} : { user };
      const ids = all<{ id: number }>(`SELECT id FROM waiting WHERE chat = $chat ${whose}`, bindings)
        .map(({ id }) => id)
        .filter((id) => !gone.has(id));
      remove(ids);
      return ids.length;
    },
    expire() {
      const time = now();
      // A clock that was set back must not let anything wait for longer.
      const misdated = all("SELECT id FROM waiting WHERE chat = $chat AND at > $time LIMIT 1", { time });
      if (misdated.length > 0)
        run("UPDATE waiting SET at = $time WHERE chat = $chat AND at > $time", { time });
      const old = all<WaitingText>(
        "SELECT id, user, text, attempts FROM waiting WHERE chat = $chat AND at < $limit ORDER BY id",
        { limit: time - MAX_WAIT_MS },
      ).filter(({ id }) => !gone.has(id));
      if (old.length > 0) remove(old.map(({ id }) => id));
      return old;
    },
    lock() {
      const folder = store.folder();
      if (folder === undefined) return () => {};
      return lockFile(join(folder, `sending-${chat.toString(16)}.lock`));
    },
    isKept: () => store.folder() !== undefined,
  };
}

/** SQLite's lock of a file, which the system takes back when its holder ends, however it ends. */
function lockFile(path: string): (() => void) | undefined {
  let database: Database | undefined;
  try {
    createPrivate(path);
    const held = new Database(path, { readwrite: true, create: true });
    database = held;
    held.run("PRAGMA busy_timeout = 0");
    held.run("BEGIN EXCLUSIVE");
    return () => held.close();
  } catch (error) {
    database?.close();
    if (error instanceof SQLiteError && error.code === "SQLITE_BUSY") return undefined;
    // Where no file can be locked, texts still leave: at worst twice, if there is another client.
    return () => {};
  }
}
