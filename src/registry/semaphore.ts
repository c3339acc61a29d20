/** Lets so many run at once; the others wait in the order they came, behind those that are urgent. */
export function createSemaphore(slots: number): <T>(run: () => Promise<T>, urgent?: boolean) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = slots;

  return async (run, urgent = false) => {
    if (free > 0) free--;
    else await new Promise<void>((enter) => (urgent ? waiting.unshift(enter) : waiting.push(enter)));
    try {
      return await run();
    } finally {
      // The slot is handed on, so that nobody who comes now can slip in between.
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
