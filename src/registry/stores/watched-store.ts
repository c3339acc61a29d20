/** Change notifications for any store. */
import { TalkError } from "../../core/errors.ts";
import { andThen } from "../maybe-promise.ts";
import type { Store } from "./types.ts";

/** A store that also notifies watchers of changes. */
export interface WatchedStore extends Store {
  /**
   * Calls back after a change: at once if this registry made it, soon if another on the same store did. May also call
   * back without a change. @returns a function that stops watching
   */
  watch(onChange: () => void): () => void;
}

/**
 * @param lookMs how often to poll for changes by other registries while somebody watches, in milliseconds; cheaper than
 *   a second connection for notifications. @default the store is not shared
 */
export function watched(store: Store, lookMs?: number): WatchedStore {
  const watchers = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let seen: string | undefined;
  let looking = false;

  function changed(): void {
    for (const tell of watchers) tell();
  }

  /** Notifies after a successful change. */
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
      // The store is unavailable; changes meanwhile are noticed when it is back.
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
