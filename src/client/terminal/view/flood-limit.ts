/** How much of what one sender writes is drawn. */
import type { Clock } from "../../../core/clock.ts";

/** Most rows of one sender that are drawn in a second; one more counts the others. */
const ROWS = 19;

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
  /** What was drawn, until it does not count any more. */
  drawn: { rows: number; until: number }[];
  /** How many messages were not drawn since the last count was told. */
  hidden: number;
}

/** @param onMore tells how many messages of a sender were not drawn: at most once a second for each */
export function createFloodLimit(clock: Clock, onMore: (sender: string, count: number) => void): FloodLimit {
  const accounts = new Map<string, Account>();

  function accountOf(sender: string): [string, Account] {
    const name = accounts.has(sender) || accounts.size < SENDERS ? sender : OTHERS;
    const account = accounts.get(name) ?? { drawn: [], hidden: 0 };
    accounts.set(name, account);
    return [name, account];
  }

  function tell(name: string, account: Account): void {
    if (account.hidden > 0) onMore(name, account.hidden);
    account.hidden = 0;
  }

  /** Forgets who has been silent. */
  function tidy(now: number): void {
    for (const [name, account] of accounts) {
      account.drawn = account.drawn.filter(({ until }) => until > now);
      if (account.drawn.length === 0 && account.hidden === 0) accounts.delete(name);
    }
  }

  return {
    admits(sender, rows) {
      const now = clock.now();
      tidy(now);
      const [name, account] = accountOf(sender);
      const used = account.drawn.reduce((sum, { rows }) => sum + rows, 0);
      // A long message of somebody who was silent is drawn whole, and its sender owes for it afterwards.
      const fits = used === 0 || used + rows <= ROWS;
      if (account.hidden === 0 && fits) {
        account.drawn.push({ rows, until: now + SECOND_MS * Math.max(1, rows / ROWS) });
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
