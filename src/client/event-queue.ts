import { createBoundedQueue, createCondition } from "../core/bounded-queue.ts";

/** Things that come one by one, for whoever asks for the next. */
export interface Queue<T> extends AsyncIterable<T> {
  push(item: T): void;
  /** What is queued is still handed out; then every loop over the queue ends. */
  end(): void;
}

/**
 * A queue that drops the oldest where more waits than it may hold.
 * @param items most that wait
 * @param bytes of all that wait, by `sizeOf`
 */
export function createQueue<T>(
  { items, bytes }: { items: number; bytes: number },
  sizeOf: (item: T) => number,
): Queue<T> {
  const waiting = createBoundedQueue<T>({ items: items + 1, bytes });
  let ended = false;
  const changed = createCondition();

  return {
    push(item) {
      if (ended) return;
      waiting.push(item, sizeOf(item));
      while (waiting.isFull() && waiting.length > 1) waiting.shift();
      changed.notify();
    },
    end() {
      ended = true;
      changed.notify();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        await changed.until(() => waiting.length > 0 || ended);
        const item = waiting.shift();
        if (item === undefined) return;
        yield item;
      }
    },
  };
}
