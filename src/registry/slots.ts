/** So many places, which are taken one by one. */
export interface Slots {
  /**
   * Calls `begin` once there is a slot: at once if one is free, else in the order of the calls, the urgent ones first.
   * @param begin says whether it has use for the slot, which is then its to release
   */
  take(begin: () => boolean, urgent?: boolean): void;
  /** Hands a slot on. */
  release(): void;
}

export function createSlots(count: number): Slots {
  const urgently: (() => boolean)[] = [];
  const waiting: (() => boolean)[] = [];
  let free = count;

  return {
    take(begin, urgent = false) {
      if (free === 0) (urgent ? urgently : waiting).push(begin);
      else if (begin()) free--;
    },
    release() {
      // Handed on at once, so that nobody who comes now can slip in between.
      for (let next = first(); next; next = first()) if (next()) return;
      free++;
    },
  };

  function first(): (() => boolean) | undefined {
    return urgently.shift() ?? waiting.shift();
  }
}
