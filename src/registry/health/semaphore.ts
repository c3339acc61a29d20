/** A semaphore with two priorities. */
export interface Semaphore {
  /**
   * Calls `begin` once a slot is free: at once, or in the order of the calls, urgent ones first.
   * @param begin says whether it has use for the slot, which is then its to release
   */
  acquire(begin: () => boolean, urgent?: boolean): void;
  /** Hands a slot on, at once, so that nobody who comes now can slip in between. */
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
