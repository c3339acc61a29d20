/** Tells when the users may have changed, the same for every store. */
import { TalkError } from "../../core/errors.ts";
import { andThen } from "../maybe-promise.ts";
import type { Store } from "./types.ts";

/** A store that also tells when something may have changed. */
export interface WatchedStore extends Store {
  /**
   * Calls back after a change: at once where this registry made it, soon where another on the same store did, and now
   * and then for nothing. @returns what ends it
   */
  watch(onChange: () => void): () => void;
}

/**
 * @param lookMs how often to look for changes of other registries, in milliseconds, while somebody watches: a look costs
 *   less than what another connection for notifications would. @default nobody else has this store
 */
export function watched(store: Store, lookMs?: number): WatchedStore {
  const watchers = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let seen: string | undefined;
  let looking = false;

  function changed(): void {
    for (const tell of watchers) tell();
  }

  /** Tells of a change once it is answered. */
  function after<T>(result: T | Promise<T>, isChange: (result: T) => boolean) {
    if (watchers.size === 0) return result;
    return andThen(result, (answer) => {
      if (isChange(answer)) changed();
      return answer;
    });
  }

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      const version = await store.version();
      if (version !== seen) changed();
      seen = version;
    } catch (error) {
      // The store is away; what has changed meanwhile is seen when it is back.
      if (!(error instanceof TalkError)) throw error;
    }
    looking = false;
  }

  return {
    ...store,
    create: (user, address, claim) => after(store.create(user, address, claim), isDone),
    put: (user, address, claim) => after(store.put(user, address, claim), isDone),
    remove: (user, claim) => after(store.remove(user, claim), isDone),
    expire: (user, registration) => after(store.expire(user, registration), (expired) => expired),
    watch(onChange) {
      watchers.add(onChange);
      if (lookMs !== undefined) timer ??= setInterval(() => void look(), lookMs);
      return () => {
        watchers.delete(onChange);
        if (watchers.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}

function isDone(result: string): boolean {
  return result === "done";
}
