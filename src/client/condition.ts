/** A condition variable. */
export interface Condition {
  /** Wakes all waiters. */
  notify(): void;
  /** Resolves once `holds` returns true; it is checked now and after each `notify`. */
  until(holds: () => boolean): Promise<void>;
}

export function createCondition(): Condition {
  /** Only while somebody waits, so that `notify` is free otherwise. */
  let changed: PromiseWithResolvers<void> | undefined;
  return {
    notify() {
      changed?.resolve();
      changed = undefined;
    },
    async until(holds) {
      while (!holds()) {
        changed ??= Promise.withResolvers();
        await changed.promise;
      }
    },
  };
}
