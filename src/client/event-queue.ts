import { createBoundedQueue } from "./bounded-queue.ts";
import { createCondition } from "./condition.ts";

/** An asynchronous queue. */
export interface Queue<T> extends AsyncIterable<T> {
  push(item: T): void;
  /** Ends every loop over the queue, once it is empty. */
  end(): void;
}

/**
 * A bounded queue that drops the oldest items when full.
 * @param items most items queued
 * @param bytes most bytes queued, by `sizeOf`
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
