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
