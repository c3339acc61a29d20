/** Limits how much of one sender is drawn, so that nobody floods the screen; the rest is only counted. */
import type { Clock } from "../../../core/clock.ts";

/** Rows drawn per sender: a burst, then so many a second, including the row that counts the rest. */
const BURST_ROWS = 200;
const ROWS_PER_SECOND = 20;

const SECOND_MS = 1000;

/** Most senders counted separately: one attacker can use any number of names. */
const SENDERS = 20;

/** The name under which all further senders are counted; the space makes it impossible for a user. */
const OTHERS = "other users";

export interface FloodLimit {
  /** Whether to draw a message of so many rows; if not, it is counted. */
  admits(sender: string, rows: number): boolean;
  /** Reports everything counted so far. */
  flush(): void;
}

interface Account {
  /** Rows that could be drawn at `at`. */
  rows: number;
  at: number;
  /** Messages not drawn since the last report. */
  hidden: number;
}

/** @param onMore reports messages of a user, or of all others, that were not drawn; at most once a second for each */
export function createFloodLimit(
  clock: Clock,
  onMore: (sender: string | undefined, count: number) => void,
): FloodLimit {
  const accounts = new Map<string, Account>();

  function accountOf(sender: string, now: number): [string, Account] {
    const name = accounts.has(sender) || accounts.size < SENDERS ? sender : OTHERS;
    const account = accounts.get(name) ?? { rows: BURST_ROWS, at: now, hidden: 0 };
    accounts.set(name, account);
    return [name, account];
  }

  function tell(name: string, account: Account): void {
    if (account.hidden === 0) return;
    onMore(name === OTHERS ? undefined : name, account.hidden);
    account.hidden = 0;
    account.rows--;
  }

  /** Refills the budgets, and forgets silent senders. */
  function refill(now: number): void {
    for (const [name, account] of accounts) {
      const earned = ((now - account.at) / SECOND_MS) * ROWS_PER_SECOND;
      account.rows = Math.min(BURST_ROWS, account.rows + earned);
      account.at = now;
      if (account.rows === BURST_ROWS && account.hidden === 0) accounts.delete(name);
    }
  }

  return {
    admits(sender, rows) {
      const now = clock.now();
      refill(now);
      const [name, account] = accountOf(sender, now);
      // Once one message is counted, so are those after it: then `:last <count>` shows exactly what was not drawn.
      if (account.hidden === 0 && rows <= account.rows) {
        account.rows -= rows;
        return true;
      }
      account.hidden++;
      if (account.hidden === 1) clock.after(SECOND_MS, () => tell(name, account));
      return false;
    },
    flush() {
      for (const [name, account] of accounts) tell(name, account);
    },
  };
}
