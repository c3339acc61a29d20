/** Leader lease among registries sharing a store: one of them at a time checks the users. */
import type { Clock } from "../../core/clock.ts";
import type { Store } from "../stores/types.ts";

export interface LeaseOptions {
  store: Pick<Store, "lease">;
  /** How long the lease lasts unless renewed, in milliseconds; another registry takes over within twice that. */
  leaseMs: number;
  clock: Clock;
}

export interface Lease {
  /** Takes the lease if it is free, or renews it; `others` if another registry holds it. @throws StoreUnavailable */
  renew(): Promise<"taken" | "kept" | "others">;
  /** Whether we hold it now: it also expires while the process is suspended. */
  isOurs(): boolean;
  /** Releases it, so that another registry can take over at once. */
  end(): Promise<void>;
}

export function createLease({ store, leaseMs, clock }: LeaseOptions): Lease {
  const registry = crypto.randomUUID();
  let until = Number.NEGATIVE_INFINITY;
  let renewAt = Number.NEGATIVE_INFINITY;

  function isOurs(): boolean {
    return clock.now() < until;
  }

  return {
    async renew() {
      const now = clock.now();
      const had = isOurs();
      if (now >= renewAt) {
        const granted = await store.lease(registry, leaseMs);
        renewAt = now + leaseMs / 3;
        until = granted ? now + leaseMs : Number.NEGATIVE_INFINITY;
      }
      if (!isOurs()) return "others";
      return had ? "kept" : "taken";
    },
    isOurs,
    async end() {
      const had = isOurs();
      until = Number.NEGATIVE_INFINITY;
      // If the store is unavailable, the lease expires by itself.
      if (had) await Promise.resolve(store.lease(registry, 0)).catch(() => false);
    },
  };
}
