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
