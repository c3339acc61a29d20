import { createCondition } from "../core/bounded-queue.ts";

/** Things that come one by one, for whoever asks for the next. */
export interface Queue<T> extends AsyncIterable<T> {
  push(item: T): void;
  /** What is queued is still handed out; then every loop over the queue ends. */
  end(): void;
}

/** @param limit most things that wait; of more, the oldest are dropped */
export function createQueue<T>(limit: number): Queue<T> {
  const items: T[] = [];
  let ended = false;
  const changed = createCondition();

  return {
    push(item) {
      if (ended) return;
      items.push(item);
      if (items.length > limit) items.shift();
      changed.notify();
    },
    end() {
      ended = true;
      changed.notify();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        await changed.until(() => items.length > 0 || ended);
        const [item] = items.splice(0, 1);
        if (item === undefined) return;
        yield item;
      }
    },
  };
}
