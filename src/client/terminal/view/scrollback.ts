/** Entries already shown, kept so that they can be redrawn. */
import type { Entries, Entry } from "./entries.ts";
import type { Row } from "./wrap.ts";

/** Most entries kept; no screen has more rows. */
const MAX_ENTRIES = 500;

export interface Scrollback {
  /** Adds an entry, preceded by the date if that has changed. */
  add(entry: Entry): void;
  /** Returns the rows added since the last call. */
  drain(columns: number): Row[];
  /** Returns the last rows: at least `lines`, if there are that many. */
  last(columns: number, lines: number): Row[];
  /** Whether `drain` has anything to return. */
  hasMore(): boolean;
  /** The time of day as displayed, HH:MM, and the date in ISO 8601. */
  time(): string;
  day(): string;
}

/** @param now returns the time of day */
export function createScrollback(entries: Entries, now: () => Date): Scrollback {
  let kept: Entry[] = [];
  let fresh: Entry[] = [];
  /** When the last entry was added, or the client started. */
  let lastAt = now();

  return {
    add(entry) {
      const at = now();
      const today = dateOf(at);
      if (today !== dateOf(lastAt)) fresh.push(entries.day(today));
      lastAt = at;
      fresh.push(entry);
    },
    drain(columns) {
      const added = fresh;
      fresh = [];
      kept = [...kept, ...added].slice(-MAX_ENTRIES);
      return added.flatMap((entry) => entry(columns));
    },
    hasMore: () => fresh.length > 0,
    last(columns, lines) {
      const rows: Row[][] = [];
      let count = 0;
      for (let i = kept.length - 1; i >= 0 && count < lines; i--) {
        const more = kept[i]?.(columns) ?? [];
        rows.unshift(more);
        count += more.length;
      }
      return rows.flat();
    },
    time: () => clockTime(now()),
    day: () => dateOf(now()),
  };
}

function clockTime(at: Date): string {
  return [at.getHours(), at.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** Local date in ISO 8601: 2026-03-01. */
function dateOf(at: Date): string {
  const parts = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}
