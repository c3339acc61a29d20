/** Logs store failures: when they start, when the reason changes, and when they are over. */
import { type Clock, systemClock } from "../../core/clock.ts";
import { StoreUnavailable } from "../../core/errors.ts";
import type { Log } from "../log.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type { Store } from "./types.ts";

/** A success this long after the last failure ends the trouble, in milliseconds: until then, other calls may fail. */
const CALM_MS = 5000;

type Kind = "read" | "write";

/** Wraps a store to log its failures. */
export function logTrouble<S extends Store>(store: S, log: Log, clock: Clock = systemClock): S {
  /** When reads and writes last failed; absent while they work. */
  const failing = new Map<Kind, number>();
  /** Reasons logged since the trouble began. */
  const told = new Set<string>();
  let since = 0;

  function worked(kind: Kind): void {
    const failed = failing.get(kind);
    if (failed === undefined || clock.now() - failed < CALM_MS) return;
    failing.delete(kind);
    if (failing.size > 0) return;
    told.clear();
    log({ type: "trouble-over", ms: clock.now() - since });
  }

  function failed(kind: Kind, error: unknown): never {
    if (!(error instanceof StoreUnavailable)) throw error;
    if (failing.size === 0) since = clock.now();
    failing.set(kind, clock.now());
    if (!told.has(error.reason)) log({ type: "trouble", reason: error.reason });
    told.add(error.reason);
    throw error;
  }

  function watched<A extends unknown[], T>(kind: Kind, call: (...args: A) => MaybePromise<T>) {
    return (...args: A): MaybePromise<T> => {
      let answer: MaybePromise<T>;
      try {
        answer = call(...args);
      } catch (error) {
        return failed(kind, error);
      }
      if (answer instanceof Promise) {
        return answer.then(
          (value) => {
            worked(kind);
            return value;
          },
          (error) => failed(kind, error),
        );
      }
      worked(kind);
      return answer;
    };
  }

  return {
    ...store,
    create: watched("write", store.create),
    put: watched("write", store.put),
    mayChange: watched("read", store.mayChange),
    remove: watched("write", store.remove),
    expire: watched("write", store.expire),
    get: watched("read", store.get),
    registrations: watched("read", store.registrations),
    version: watched("read", store.version),
    lease: watched("write", store.lease),
  };
}
