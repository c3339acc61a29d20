/** Messages that wait, and those who wait for something to change. */

/** A queue that says when it is full, in items and in bytes, because a message may have 64,000. */
export interface BoundedQueue<T> {
  push(item: T, bytes: number): void;
  /** Takes out the item that has waited the longest, if any waits. */
  shift(): T | undefined;
  /** How many items wait. */
  readonly length: number;
  /** Whether it is full: nothing more should be accepted now. */
  isFull(): boolean;
}

/** @param limits the most that may wait; how many bytes an item has, whoever pushes it says */
export function createBoundedQueue<T>({ items = 1000, bytes = 1024 * 1024 } = {}): BoundedQueue<T> {
  const waiting: { item: T; bytes: number }[] = [];
  let total = 0;

  return {
    push(item, bytes) {
      waiting.push({ item, bytes });
      total += bytes;
    },
    shift() {
      const next = waiting.shift();
      total -= next?.bytes ?? 0;
      return next?.item;
    },
    get length() {
      return waiting.length;
    },
    isFull: () => waiting.length >= items || total > bytes,
  };
}

/** A condition variable. */
export interface Condition {
  /** Wakes all who wait. */
  notify(): void;
  /** Resolves once `holds` returns true; it is called now, and after each `notify`. */
  until(holds: () => boolean): Promise<void>;
}

export function createCondition(): Condition {
  let changed = Promise.withResolvers<void>();
  return {
    notify() {
      changed.resolve();
      changed = Promise.withResolvers();
    },
    async until(holds) {
      while (!holds()) await changed.promise;
    },
  };
}
