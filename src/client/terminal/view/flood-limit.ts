/** How much of what one sender writes is drawn, so that nobody floods the screen. What is not drawn is told as a number. */
import type { Clock } from "../../../core/clock.ts";

/** Rows of one sender that are drawn at once, and each second later on, the one that counts the others among them. */
const BURST_ROWS = 200;
const ROWS_PER_SECOND = 20;

const SECOND_MS = 1000;

/** Most senders that are counted for themselves, because anybody can write under any number of names. */
const SENDERS = 20;

/** The name under which all further senders are counted; no user can have it. */
const OTHERS = "other users";

export interface FloodLimit {
  /** Whether a message of so many rows is drawn; if not, it is counted. */
  admits(sender: string, rows: number): boolean;
  /** Tells of everything counted so far. */
  flush(): void;
}

interface Account {
  /** How many rows may be drawn now, by what was known at a time. */
  rows: number;
  at: number;
  /** How many messages were not drawn since the last count was told. */
  hidden: number;
}

/** @param onMore tells how many messages of a sender, or of all others, were not drawn: at most once a second for each */
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

  /** Lets time count, and forgets who has been silent. */
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
      // What comes behind something that is counted is counted, too, so that the last so many are those not drawn.
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
