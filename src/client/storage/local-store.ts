/** The database behind everything a client keeps: opened when first needed, and never in the way of the chat. */
import { type Database, SQLiteError } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { openDatabase, openInMemory, reasonOf } from "./database.ts";

/** How long nothing must have been written before the write-ahead log is moved into the file, in milliseconds. */
const QUIET_MS = 2000;

/** The log is moved sooner than that once it has so many bytes. */
const MAX_LOG_BYTES = 32 * 1024 * 1024;

/** After so many commits the log's size is looked at. */
const COMMITS_PER_LOOK = 500;

/** How long to wait before writing again while another client holds the file, in milliseconds. */
const BUSY_RETRY_MS = 100;

/** How long to wait before writing again to a file that could not be written, in milliseconds. */
const FAULT_RETRY_MS = 1000;

/** How long to wait for it in all, in milliseconds: then it is stuck, and no line is kept from the screen any more. */
const MAX_BUSY_MS = 2000;

/** Most writes that are put off while another client holds the file; then they are kept in memory. */
const MAX_PENDING = 10_000;

type Work<T> = (database: Database) => T;

/** Values for the named parameters of a query. */
export type QueryParameters = Record<string, string | number | null>;

export interface LocalStore {
  /** Puts a write off to the next `commit`. */
  defer(write: Work<void>): void;
  /**
   * Commits what was put off, in one transaction. While another client holds the file, it is tried again later.
   * @returns whether it is kept now, or nobody should wait for it any more
   */
  commit(): boolean;
  /** Commits, together with what was put off; undefined while another client holds the file. */
  write<T>(work: Work<T>): T | undefined;
  /** Reads, after a commit; undefined if there is nothing, because the file does not exist yet. */
  read<T>(work: Work<T>): T | undefined;
  /** The folder of the file; undefined if everything is kept in memory. */
  folder(): string | undefined;
  close(): void;
}

export interface LocalStoreOptions {
  /** Undefined keeps everything in memory. */
  path: string | undefined;
  /** Of typed lines, from before there was a database. */
  historyFile: string;
  /** Told once, if nothing can be kept in the file any more; all goes on in memory. */
  onTrouble: (sentence: string) => void;
  /**
   * Set to keep to the file once it is open, whatever happens to it: nothing is written until it can be again, and what
   * it holds can be read. `onTrouble` is told then, too. @default false
   */
  keepsToFile?: boolean;
}

export function openLocalStore({
  path,
  historyFile,
  onTrouble,
  keepsToFile = false,
}: LocalStoreOptions): LocalStore {
  let file = path;
  let database: Database | undefined;
  let pending: Work<void>[] = [];
  /** Until when nothing is written, by the system's clock: another client has the file, or it cannot be written. */
  let busyUntil = 0;
  /** Whether the last write failed for another reason than another client's. */
  let faulty = false;
  /** Since when another client has held the file. */
  let busySince: number | undefined;
  let commits = 0;
  let cancelCheckpoint = () => {};
  let cancelRetry: (() => void) | undefined;

  function opened(): Database {
    if (database) return database;
    try {
      database = file === undefined ? openInMemory() : openDatabase(file, historyFile);
      return database;
    } catch (error) {
      return giveUp(error);
    }
  }

  /** Goes on in memory. */
  function giveUp(error: unknown): Database {
    const failed = file;
    file = undefined;
    cancelCheckpoint();
    try {
      database?.close();
    } catch {
      // What is broken may not even close.
    }
    database = openInMemory();
    onTrouble(`what is said and typed is not kept in ${failed}: ${reasonOf(error)}`);
    return database;
  }

  function transact<T>(work: Work<T>): T | undefined {
    if (busyUntil > systemClock.now()) return undefined;
    const writes = pending;
    const run = (database: Database): T =>
      database
        .transaction(() => {
          for (const write of writes) write(database);
          return work(database);
        })
        .immediate();
    const current = opened();
    try {
      const result = run(current);
      pending = pending.slice(writes.length);
      busySince = undefined;
      faulty = false;
      written();
      return result;
    } catch (error) {
      if (!isTrouble(error) || file === undefined) throw error;
      if (isBusy(error) && writes.length < MAX_PENDING) {
        busySince ??= systemClock.now();
        return retryIn(BUSY_RETRY_MS);
      }
      if (keepsToFile) {
        if (!faulty) onTrouble(`what waits stays in ${file} until it can be written: ${reasonOf(error)}`);
        faulty = true;
        return retryIn(FAULT_RETRY_MS);
      }
      const result = run(giveUp(error));
      pending = pending.slice(writes.length);
      return result;
    }
  }

  function retryIn(ms: number): undefined {
    busyUntil = systemClock.now() + ms;
    cancelRetry ??= systemClock.after(ms, () => {
      cancelRetry = undefined;
      commit();
    });
  }

  function commit(): boolean {
    if (pending.length > 0) transact(() => {});
    return pending.length === 0 || (busySince !== undefined && systemClock.now() - busySince > MAX_BUSY_MS);
  }

  function written(): void {
    if (file === undefined) return;
    cancelCheckpoint();
    cancelCheckpoint = systemClock.after(QUIET_MS, checkpoint);
    if (++commits % COMMITS_PER_LOOK === 0 && logBytes(file) > MAX_LOG_BYTES) checkpoint();
  }

  function checkpoint(): void {
    try {
      database?.run("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // Nothing is lost in the log: what is wrong shows at the next write.
    }
  }

  return {
    defer: (write) => void pending.push(write),
    commit,
    write: transact,
    read(work) {
      const isThere = database || file === undefined || existsSync(file) || existsSync(historyFile);
      if (!isThere && pending.length === 0) return undefined;
      commit();
      const current = opened();
      try {
        return work(current);
      } catch (error) {
        if (!isTrouble(error) || file === undefined) throw error;
        return isBusy(error) || keepsToFile ? undefined : work(giveUp(error));
      }
    },
    folder: () => (file === undefined ? undefined : dirname(file)),
    close() {
      busyUntil = 0;
      commit();
      cancelCheckpoint();
      cancelRetry?.();
      try {
        database?.close();
      } catch {
        // Committed is committed.
      }
      database = undefined;
    },
  };
}

function isTrouble(error: unknown): error is SQLiteError {
  return error instanceof SQLiteError;
}

function isBusy(error: SQLiteError): boolean {
  return error.code?.startsWith("SQLITE_BUSY") ?? false;
}

function logBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
