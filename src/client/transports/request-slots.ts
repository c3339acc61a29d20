import { createSemaphore } from "../../core/bounded-queue.ts";

/**
 * Most requests to users at once. `fetch` runs 256 of a process and queues the rest while their deadlines run; the
 * registry must never wait behind users who are silent.
 */
const MAX_REQUESTS = 200;

const semaphore = createSemaphore(MAX_REQUESTS);

/** Resolves once a request to a user may start, which then has to `release`. */
export function acquireSlot(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  semaphore.acquire(() => {
    resolve();
    return true;
  });
  return promise;
}

export const releaseSlot = semaphore.release;
