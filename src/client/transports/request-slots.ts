import { createSemaphore } from "../../core/limits/semaphore.ts";

/**
 * Most concurrent requests to users. `fetch` runs 256 per process and queues the rest while their deadlines pass;
 * requests to the registry must never wait for silent users.
 */
const MAX_REQUESTS = 200;

const semaphore = createSemaphore(MAX_REQUESTS);

/** Resolves once a request to a user may start; call `releaseSlot` when it ends. */
export function acquireSlot(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  semaphore.acquire(() => {
    resolve();
    return true;
  });
  return promise;
}

export const releaseSlot = semaphore.release;
