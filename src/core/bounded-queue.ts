/** Most messages that wait before their senders have to. */
const MAX_MESSAGES = 1000;

/** The same in characters, because a message may have 64,000. */
const MAX_CHARACTERS = 1024 * 1024;

/** Where messages wait, in order, until one may be told of them. */
export interface BoundedQueue<T> {
  /** @param characters of its text */
  push(item: T, characters: number): void;
  /** Takes out the one that has waited the longest, if any waits. */
  shift(): T | undefined;
  /** Whether so much waits that no more should be taken in. */
  crowded(): boolean;
}

export function createBoundedQueue<T>(): BoundedQueue<T> {
  const waiting: { item: T; characters: number }[] = [];
  let total = 0;

  return {
    push(item, characters) {
      waiting.push({ item, characters });
      total += characters;
    },
    shift() {
      const next = waiting.shift();
      total -= next?.characters ?? 0;
      return next?.item;
    },
    crowded: () => waiting.length >= MAX_MESSAGES || total > MAX_CHARACTERS,
  };
}

/** Lets others wait until something is as they want it (a condition variable). */
export interface Condition {
  /** Tells those who wait that something has changed. */
  notify(): void;
  /** Resolves once that holds: it is looked at now, and after each change. */
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
