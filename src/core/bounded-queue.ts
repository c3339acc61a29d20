/** What has to wait: a bounded queue, a condition variable and a semaphore. */

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

/** A condition variable. */
export interface Condition {
  /** Wakes all waiters. */
  notify(): void;
  /** Resolves once `holds` returns true; it is checked now and after each `notify`. */
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

/** A semaphore with two priorities. */
export interface Semaphore {
  /**
   * Calls `begin` once a slot is free, in the order of the calls, urgent ones first.
   * @param begin returns whether it takes the slot, which it must then release
   */
  acquire(begin: () => boolean, urgent?: boolean): void;
  /** Passes the slot to the next waiter synchronously, so that no newcomer can jump the queue. */
  release(): void;
}

export function createSemaphore(count: number): Semaphore {
  const urgently: (() => boolean)[] = [];
  const waiting: (() => boolean)[] = [];
  let free = count;

  function serve(): void {
    while (free > 0) {
      const begin = urgently.shift() ?? waiting.shift();
      if (!begin) return;
      free--;
      if (!begin()) free++;
    }
  }

  return {
    acquire(begin, urgent = false) {
      (urgent ? urgently : waiting).push(begin);
      serve();
    },
    release() {
      free++;
      serve();
    },
  };
}
