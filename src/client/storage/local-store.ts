/** The database behind all local storage: opened when first needed, and never blocks the chat. */
import { type Database, SQLiteError } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { openDatabase, openInMemory, reasonOf } from "./database.ts";

/** How long writes must have paused before a checkpoint, in milliseconds. */
const QUIET_MS = 2000;

/** Bytes of write-ahead log that force an earlier checkpoint. */
const MAX_LOG_BYTES = 32 * 1024 * 1024;

/** Commits between checks of the log's size. */
const COMMITS_PER_LOOK = 500;

/** How long to wait before retrying while another client has the file locked, in milliseconds. */
const BUSY_RETRY_MS = 100;

/** How long to wait before retrying a failed write, in milliseconds. */
const FAULT_RETRY_MS = 1000;

/** How long lines wait to be stored before they are shown anyway, in milliseconds: the other client must be stuck. */
const MAX_BUSY_MS = 2000;

/** Most writes deferred while another client has the file locked; beyond that, storage falls back to memory. */
const MAX_PENDING = 10_000;

type Work<T> = (database: Database) => T;

/** Values for the named parameters of a query. */
export type QueryParameters = Record<string, string | number | null>;

export interface LocalStore {
  /** Defers a write to the next `commit`. */
  defer(write: Work<void>): void;
  /**
   * Commits deferred writes in one transaction. While another client has the file locked, retries later.
   * @returns true once they are stored, or once the file has been locked for too long to keep waiting
   */
  commit(): boolean;
  /** Commits a write together with deferred ones; undefined while another client has the file locked. */
  write<T>(work: Work<T>): T | undefined;
  /** Reads, after a commit; undefined if the file does not exist yet. */
  read<T>(work: Work<T>): T | undefined;
  /** The file's folder; undefined in memory. */
  folder(): string | undefined;
  close(): void;
}

export interface LocalStoreOptions {
  /** Undefined stores everything in memory. */
  path: string | undefined;
  /** The history file of older versions, which kept it as text. */
  historyFile: string;
  /** Called once, if the file becomes unusable; storage goes on in memory. */
  onTrouble: (sentence: string) => void;
  /**
   * Never falls back to memory once the file is open: while writes fail, calls `onTrouble` once, defers them, and still
   * reads. @default false
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
  /** Nothing is written before this time (system clock), because the file was locked or a write failed. */
  let busyUntil = 0;
  /** Whether the last write failed for a reason other than a lock. */
  let faulty = false;
  /** Since when another client has had the file locked. */
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

  /** Falls back to memory. */
  function giveUp(error: unknown): Database {
    const failed = file;
    file = undefined;
    cancelCheckpoint();
    try {
      database?.close();
    } catch {
      // A broken database may not even close.
    }
    database = openInMemory();
    onTrouble(`messages and history are not kept in ${failed}: ${reasonOf(error)}`);
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
        if (!faulty) onTrouble(`waiting texts stay in ${file} until it can be written: ${reasonOf(error)}`);
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
      // Nothing is lost, because the log remains; if the fault persists, the next write reports it.
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
        // Commits are safe in the log.
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
