/** Texts that wait for absent users. */
import { Database, SQLiteError } from "bun:sqlite";
import { join } from "node:path";
import type { UserName } from "../../core/schemas.ts";
import { createPrivate } from "./database.ts";
import type { LocalStore, QueryParameters } from "./local-store.ts";

/** Most texts waiting for one user; more are refused. */
export const MAX_WAITING_PER_USER = 1000;

/** How long a text waits, in milliseconds: 7 days. */
const MAX_WAIT_MS = 7 * 24 * 60 * 60 * 1000;

export interface WaitingText {
  id: number;
  user: UserName;
  text: string;
  /** How often a client ended while sending it, so that the outcome is unknown. */
  attempts: number;
}

/** Texts waiting for a user at one host. */
export interface WaitingFor {
  user: UserName;
  /** The user's host when they were written, normalized. */
  host: string;
  /** Whether somebody at another host has had the name since. */
  taken: boolean;
  count: number;
  /** When the oldest was written, in milliseconds since 1970. */
  since: number;
}

export interface WaitingTexts {
  /** Adds a text to the queue; refuses if that is full, or while another client has the file locked. */
  add(user: UserName, host: string, text: string): { id: number } | "full" | "busy";
  /** What waits, sorted by user. */
  summary(): WaitingFor[];
  /** The oldest waiting texts, in order. */
  oldest(most: number): { user: UserName; at: number; text: string }[];
  /** The first texts to send when a user is back at a host, in order. */
  first(user: UserName, host: string, most: number): WaitingText[];
  /** Marks a text as being sent, so that a crash is noticed; false if that fails, as on a full disk: do not send. */
  begin(id: number): boolean;
  /** Marks a text as not delivered; it keeps waiting. */
  end(id: number): void;
  /** The host to which the newest text for a user will be sent. */
  hostFor(user: UserName): string | undefined;
  /** Removes texts. */
  remove(ids: readonly number[]): void;
  /** Notes that the name is now at a host: texts to another host are no longer sent automatically. */
  seenAt(user: UserName, host: string): void;
  /** Redirects all texts waiting for a user to a host. */
  redirect(user: UserName, host: string): void;
  /** Removes what waits for a user, or for all; returns how many texts. */
  drop(user: UserName | undefined): number;
  /** Texts that have waited too long. */
  expired(): WaitingText[];
  /** Locks out other clients of the same name; undefined if one holds the lock. Released when the process ends. */
  lock(): (() => void) | undefined;
  /** Whether waiting texts survive this process. */
  isKept(): boolean;
}

/** SQL: in this chat, and not removed. */
const STILL_WAITING = "chat = $chat AND id NOT IN (SELECT value FROM json_each($gone))";

/**
 * @param chat a hash of the registry and me
 * @param commitTranscript called before a text is added or removed, so that the transcript has its outcome after a crash,
 *   too, unless another client had the file locked a moment before
 * @param now the time, in milliseconds since 1970
 */
export function createWaitingTexts(
  store: LocalStore,
  chat: number,
  commitTranscript: () => void,
  now: () => number,
): WaitingTexts {
  /** Texts sent or dropped whose deletion is not stored yet; they must not be sent again. */
  const gone = new Set<number>();

  /** The rows of a query that selects among STILL_WAITING. */
  function all<T>(query: string, bindings: QueryParameters = {}): T[] {
    forgetGone();
    const parameters = { chat, gone: JSON.stringify([...gone]), ...bindings };
    return store.read((database) => database.query<T, QueryParameters>(query).all(parameters)) ?? [];
  }

  function run(query: string, bindings: QueryParameters = {}): void {
    store.defer((database) => void database.query(query).run({ chat, ...bindings }));
    store.commit();
  }

  function remove(ids: readonly number[]): void {
    commitTranscript();
    for (const id of ids) gone.add(id);
    store.defer((database) => {
      const query = database.query("DELETE FROM waiting WHERE id = $id");
      for (const id of ids) query.run({ id });
    });
    forgetGone();
  }

  /** Clears `gone` once the deletions are committed. */
  function forgetGone(): void {
    if (gone.size > 0 && store.write(() => true)) gone.clear();
  }

  return {
    add(user, host, text) {
      commitTranscript();
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
         WHERE ${STILL_WAITING} GROUP BY user, host, taken ORDER BY user, min(id)`,
      ).map((row) => ({ ...row, taken: row.taken === 1 })),
    oldest: (most) =>
      all(`SELECT user, at, text FROM waiting WHERE ${STILL_WAITING} ORDER BY id LIMIT $most`, { most }),
    first: (user, host, most) =>
      all<WaitingText>(
        `SELECT id, user, text, attempts FROM waiting
         WHERE ${STILL_WAITING} AND user = $user AND host = $host AND taken = 0 ORDER BY id LIMIT $most`,
        { user, host, most },
      ),
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
        `SELECT host FROM waiting WHERE ${STILL_WAITING} AND user = $user AND taken = 0 ORDER BY id DESC LIMIT 1`,
        { user },
      )[0]?.host,
    remove,
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
      const ids = all<{ id: number }>(`SELECT id FROM waiting WHERE ${STILL_WAITING} ${whose}`, bindings).map(
        ({ id }) => id,
      );
      remove(ids);
      return ids.length;
    },
    expired() {
      const time = now();
      // A clock set back must not extend the wait.
      const misdated = all(`SELECT id FROM waiting WHERE ${STILL_WAITING} AND at > $time LIMIT 1`, { time });
      if (misdated.length > 0)
        run("UPDATE waiting SET at = $time WHERE chat = $chat AND at > $time", { time });
      return all(
        `SELECT id, user, text, attempts FROM waiting WHERE ${STILL_WAITING} AND at < $limit ORDER BY id`,
        { limit: time - MAX_WAIT_MS },
      );
    },
    lock() {
      const folder = store.folder();
      if (folder === undefined) return () => {};
      return lockFile(join(folder, `sending-${chat.toString(16)}.lock`));
    },
    isKept: () => store.folder() !== undefined,
  };
}

/** An SQLite file lock, which the system releases however its holder ends. */
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
    // Without file locks, still send: at worst twice, if there is another client.
    return () => {};
  }
}
