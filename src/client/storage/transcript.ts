/** The transcript: messages kept to read again. */
import type { Database } from "bun:sqlite";
import type { UserName } from "../../core/schemas.ts";
import type { Outcome } from "../transports/types.ts";
import type { LocalStore, QueryParameters } from "./local-store.ts";

/** Most messages kept; beyond that, the oldest are deleted. */
const MAX_MESSAGES = 100_000;

/** Most characters kept: 100,000 of the longest messages would fill any disk. */
const MAX_CHARACTERS = 256 * 1024 * 1024;

/** The same limits in memory, for clients that store nothing on disk. */
const MAX_MESSAGES_IN_MEMORY = 10_000;
const MAX_CHARACTERS_IN_MEMORY = 16 * 1024 * 1024;

/** Messages deleted at a time, so that not every commit has to look for the oldest. */
const PRUNED_AT_ONCE = 500;

/** How long messages are kept, in milliseconds: one year. */
const MAX_AGE_MS = 366 * 24 * 60 * 60 * 1000;

/** A stored message. */
export interface Said {
  /** In milliseconds since 1970. */
  at: number;
  /** The sender, or the recipient of a text of mine. */
  user: UserName;
  mine: boolean;
  /** The outcome of a text of mine, if known. */
  outcome: Outcome["type"] | undefined;
  /** Whether it may not be from its stated sender. */
  doubtful: boolean;
  text: string;
}

export interface Transcript {
  /** Records a message from somebody; stored by the next `commit`. */
  heard(user: UserName, text: string, doubtful: boolean): void;
  /** Records a text of mine that is on its way. @param id unique in this session */
  sending(id: number, to: UserName, text: string): void;
  /** Records its outcome. */
  settled(id: number, outcome: Outcome["type"]): void;
  /** Records the outcome of a text that waited. */
  waited(to: UserName, text: string, outcome: Outcome["type"]): void;
  /** Records that waiting texts to a user, or to all, were dropped. */
  dropped(user: UserName | undefined): void;
  /**
   * Stores what was recorded, so that it survives a crash of the process.
   * @returns true once it is stored, or once the file has been locked for too long to keep waiting
   */
  commit(): boolean;
  /** The last messages, with one user or with all, oldest first. */
  last(user: UserName | undefined, count: number): Said[];
  /** The last messages that contain a word, ignoring case, oldest first. */
  find(word: string, count: number): Said[];
}

export interface TranscriptOptions {
  store: LocalStore;
  /** A hash of the registry and me. */
  chat: number;
  registry: string;
  me: UserName;
  /** The time, in milliseconds since 1970. */
  now: () => number;
}

interface MessageRow {
  at: number;
  user: string;
  mine: number;
  outcome: Outcome["type"] | null;
  doubtful: number;
  text: string;
}

interface Sums {
  messages: number;
  characters: number;
}

const COLUMNS = "at, user, mine, outcome, doubtful, text";

export function createTranscript({ store, chat, registry, me, now }: TranscriptOptions): Transcript {
  /** Rows of my texts in flight, by id; undefined until committed. */
  const underWay = new Map<number, { row: number | undefined; to: UserName }>();
  let added: Sums = { messages: 0, characters: 0 };
  let pruned = false;

  function add(message: Omit<MessageRow, "at" | "outcome">, onRow = (_: number) => {}): void {
    const at = now();
    added.messages++;
    added.characters += message.text.length;
    store.defer((database) => {
      const { lastInsertRowid } = database
        .query(
          `INSERT INTO messages (chat, at, user, mine, doubtful, text)
           VALUES ($chat, $at, $user, $mine, $doubtful, $text)`,
        )
        .run({ chat, at, ...message });
      onRow(Number(lastInsertRowid));
    });
  }

  /** Updates the sums, and deletes the oldest messages beyond the limits. */
  function keepBounds(database: Database, added: Sums): void {
    const sums = database
      .query<Sums, QueryParameters>(
        `INSERT INTO chats (id, registry, me, messages, characters)
         VALUES ($chat, $registry, $me, $messages, $characters)
         ON CONFLICT (id) DO UPDATE SET
           messages = messages + excluded.messages, characters = characters + excluded.characters
         RETURNING messages, characters`,
      )
      .get({ chat, registry, me, ...added });
    if (!sums) return;
    const inMemory = store.folder() === undefined;
    const most: Sums = inMemory
      ? { messages: MAX_MESSAGES_IN_MEMORY, characters: MAX_CHARACTERS_IN_MEMORY }
      : { messages: MAX_MESSAGES, characters: MAX_CHARACTERS };
    while (sums.messages >= most.messages + PRUNED_AT_ONCE || sums.characters > most.characters) {
      const gone = remove(
        database,
        "id IN (SELECT id FROM messages WHERE chat = $chat ORDER BY id LIMIT $most)",
        PRUNED_AT_ONCE,
      );
      if (gone.messages === 0) break;
      sums.messages -= gone.messages;
      sums.characters -= gone.characters;
    }
  }

  /** Deletes messages, and subtracts them from the sums. */
  function remove(database: Database, where: string, most: number): Sums {
    const rows = database
      .query<{ characters: number }, { chat: number; most: number }>(
        `DELETE FROM messages WHERE chat = $chat AND ${where} RETURNING length(text) AS characters`,
      )
      .all({ chat, most });
    const gone = { messages: rows.length, characters: rows.reduce((sum, row) => sum + row.characters, 0) };
    database
      .query(
        `UPDATE chats SET messages = max(0, messages - $messages), characters = max(0, characters - $characters)
         WHERE id = $chat`,
      )
      .run({ chat, ...gone });
    return gone;
  }

  /** Relative to the last message, not to the clock, which may be wrong. */
  function removeOld(database: Database): void {
    const edge = (order: "ASC" | "DESC") =>
      database
        .query<{ at: number }, { chat: number }>(
          `SELECT at FROM messages WHERE chat = $chat ORDER BY id ${order} LIMIT 1`,
        )
        .get({ chat })?.at ?? 0;
    const limit = edge("DESC") - MAX_AGE_MS;
    if (edge("ASC") < limit) remove(database, "at < $most", limit);
  }

  function commit(): boolean {
    if (added.messages === 0) return store.commit();
    const sums = added;
    added = { messages: 0, characters: 0 };
    store.defer((database) => {
      if (!pruned) removeOld(database);
      pruned = true;
      keepBounds(database, sums);
    });
    return store.commit();
  }

  function read(query: string, parameters: QueryParameters): Said[] {
    commit();
    const rows = store.read((database) =>
      database.query<MessageRow, QueryParameters>(query).all({ chat, ...parameters }),
    );
    return (rows ?? []).map(asSaid).reverse();
  }

  return {
    heard: (user, text, doubtful) => add({ user, text, mine: 0, doubtful: Number(doubtful) }),
    sending(id, to, text) {
      const entry: { row: number | undefined; to: UserName } = { row: undefined, to };
      underWay.set(id, entry);
      add({ user: to, text, mine: 1, doubtful: 0 }, (row) => {
        entry.row = row;
      });
    },
    settled(id, outcome) {
      const entry = underWay.get(id);
      if (!entry) return;
      underWay.delete(id);
      store.defer((database) => {
        if (entry.row === undefined) return;
        database
          .query("UPDATE messages SET outcome = $outcome WHERE id = $row AND user = $to AND mine = 1")
          .run({ row: entry.row, to: entry.to, outcome });
      });
    },
    waited(to, text, outcome) {
      store.defer((database) => {
        database
          .query(
            `UPDATE messages SET outcome = $outcome WHERE id = (
               SELECT min(id) FROM messages WHERE chat = $chat AND user = $to
               AND mine = 1 AND (outcome IS NULL OR outcome = 'waiting') AND text = $text)`,
          )
          .run({ chat, to, text, outcome });
      });
    },
    dropped(user) {
      const whose: QueryParameters = user === undefined ? {} : { user };
      store.defer((database) => {
        database
          .query(
            `UPDATE messages SET outcome = 'failed'
             WHERE chat = $chat ${user === undefined ? "" : "AND user = $user"} 
             AND mine = 1 AND (outcome IS NULL OR outcome = 'waiting') AND outcome = 'waiting'`,
          )
          .run({ chat, ...whose });
      });
    },
    commit,
    last(user, count) {
      const whose: QueryParameters = user === undefined ? {} : { user };
      return read(
        `SELECT ${COLUMNS} FROM messages WHERE chat = $chat ${user === undefined ? "" : "AND user = $user"}
         ORDER BY id DESC LIMIT $count`,
        { ...whose, count },
      );
    },
    find(word, count) {
      commit();
      const pattern = new RegExp(RegExp.escape(word), "iu");
      const found = store.read((database) => {
        const rows: MessageRow[] = [];
        // Searched here, because SQLite ignores case only for ASCII; and in table order, because an index would
        // jump from page to page.
        const all = database.query<MessageRow, QueryParameters>(
          `SELECT ${COLUMNS} FROM messages WHERE +chat = $chat ORDER BY id DESC`,
        );
        for (const row of all.iterate({ chat })) {
          if (pattern.test(row.text)) rows.push(row);
          if (rows.length === count) break;
        }
        return rows;
      });
      return (found ?? []).map(asSaid).reverse();
    },
  };
}

function asSaid({ at, user, mine, outcome, doubtful, text }: MessageRow): Said {
  return { at, user, mine: mine === 1, outcome: outcome ?? undefined, doubtful: doubtful === 1, text };
}

/** A transcript that is read but not added to: for clients whose output goes to a program. */
export function readOnly(transcript: Transcript): Transcript {
  return { ...transcript, heard() {}, sending() {}, settled() {}, waited() {}, dropped() {} };
}
