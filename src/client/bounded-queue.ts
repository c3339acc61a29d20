/** A queue bounded in items and in bytes, because one message may have 64,000 bytes. */
export interface BoundedQueue<T> {
  push(item: T, bytes: number): void;
  /** Removes and returns the oldest item, if any. */
  shift(): T | undefined;
  readonly length: number;
  /** Whether it is at a limit: the caller should accept nothing more for now. */
  isFull(): boolean;
}

/** @param limits the most items, and the most bytes, as the callers of `push` count them */
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
