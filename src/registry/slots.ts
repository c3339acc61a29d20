/** So many places, which are taken one by one; who finds none waits in the order they came, behind the urgent. */
export interface Slots {
  /** Calls back once there is a slot, which is then the caller's: at once if one is free. */
  take(begin: () => void, urgent?: boolean): void;
  /** Hands a slot on. */
  release(): void;
}

export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = [];
  let free = count;

  return {
    take(begin, urgent = false) {
      if (free === 0) return void (urgent ? waiting.unshift(begin) : waiting.push(begin));
      free--;
      begin();
    },
    release() {
      // Handed on at once, so that nobody who comes now can slip in between.
      const next = waiting.shift();
      if (next) next();
      else free++;
    },
  };
}
