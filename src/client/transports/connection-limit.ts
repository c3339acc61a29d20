/** Limits the WebSocket connections of a listener. */

/** Most connections per source, and in all: a sender may keep its own open as long as it likes. */
const MAX_PER_SOURCE = 250;
const MAX_IN_ALL = 2000;

export interface ConnectionLimit {
  /** Counts a connection from a source; false if there is no room for it. */
  admit(source: string): boolean;
  /** An admitted connection has ended. */
  release(source: string): void;
}

export function createConnectionLimit({
  perSource = MAX_PER_SOURCE,
  inAll = MAX_IN_ALL,
} = {}): ConnectionLimit {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    admit(source) {
      const count = counts.get(source) ?? 0;
      if (count >= perSource || total >= inAll) return false;
      counts.set(source, count + 1);
      total++;
      return true;
    },
    release(source) {
      const count = (counts.get(source) ?? 0) - 1;
      if (count > 0) counts.set(source, count);
      else counts.delete(source);
      total--;
    },
  };
}
