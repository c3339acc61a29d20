/** Group commit: writes that arrive together share a transaction, and each resolves after the commit. */
import { type Database, SQLiteError } from "bun:sqlite";
import { asUnavailable } from "./sqlite-file.ts";

/** How long a write waits for another registry on the same file, and how often it retries, in milliseconds. */
const BUSY_TIMEOUT_MS = 2000;
const BUSY_RETRY_MS = 5;

interface Write {
  /** Writes. @returns a function that reports the result, to be called after the commit */
  run: () => () => void;
  fail: (error: unknown) => void;
}

export interface Commits {
  /** Runs a write in the next transaction. @throws StoreUnavailable if it fails; then it is rolled back */
  commit<T>(run: () => T): Promise<T>;
  /** Resolves once no write is pending. */
  settled(): Promise<void>;
}

/** @param beforeCommit runs at the end of each transaction, inside it */
export function createCommits(database: Database, beforeCommit: () => void): Commits {
  const begin = database.query("BEGIN IMMEDIATE");
  const end = database.query("COMMIT");
  const rollback = database.query("ROLLBACK");
  let waiting: Write[] = [];
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      // Let other writes of this turn of the event loop join the transaction.
      await new Promise((resolve) => void setImmediate(resolve));
      try {
        await beginWhenFree();
        commitWaiting();
      } catch (error) {
        for (const { fail } of take()) fail(asUnavailable("cannot be written", error));
      }
    }
    working = undefined;
  }

  async function beginWhenFree(): Promise<void> {
    const deadline = performance.now() + BUSY_TIMEOUT_MS;
    for (;;) {
      try {
        begin.run();
        return;
      } catch (error) {
        const busy = error instanceof SQLiteError && error.code === "SQLITE_BUSY";
        if (!busy || performance.now() > deadline) throw error;
        await Bun.sleep(BUSY_RETRY_MS);
      }
    }
  }

  function commitWaiting(): void {
    const writes = take();
    try {
      const answers = writes.map(({ run }) => run());
      beforeCommit();
      end.run();
      for (const answer of answers) answer();
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (database.inTransaction) rollback.run();
      for (const { fail } of writes) fail(asUnavailable("cannot be written", error));
    }
  }

  function take(): Write[] {
    const taken = waiting;
    waiting = [];
    return taken;
  }

  return {
    commit: (run) =>
      new Promise((resolve, reject) => {
        waiting.push({
          run() {
            const result = run();
            return () => resolve(result);
          },
          fail: reject,
        });
        working ??= work();
      }),
    settled: async () => working,
  };
}
