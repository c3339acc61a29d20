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
