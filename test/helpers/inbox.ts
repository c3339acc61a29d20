/** What has arrived, in order; `next()` waits for more. */
export interface Inbox<T> {
  push(item: T): void;
  next(): Promise<T>;
  /** Arrived, but not yet taken. */
  size: () => number;
}

export function createInbox<T>(): Inbox<T> {
  const items: T[] = [];
  const waiting: ((item: T) => void)[] = [];
  return {
    push(item) {
      const taker = waiting.shift();
      if (taker) taker(item);
      else items.push(item);
    },
    next() {
      const [item] = items.splice(0, 1);
      return item === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(item);
    },
    size: () => items.length,
  };
}
