/** Tells the operator when a store is in trouble: as it begins, when its reason changes, and when it is over. */
import { type Clock, systemClock } from "../../core/clock.ts";
import { StoreUnavailable } from "../../core/errors.ts";
import type { Log } from "../log.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type { Store } from "./types.ts";

/** How long after a failure a success counts as the end, in milliseconds: some calls may work where others fail. */
const CALM_MS = 5000;

type Kind = "read" | "write";

/** The store, with its troubles logged. */
export function logTrouble<S extends Store>(store: S, log: Log, clock: Clock = systemClock): S {
  /** When reading or writing last failed; what works is not in it. */
  const failing = new Map<Kind, number>();
  /** Reasons told since the trouble began. */
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
