import { createCondition } from "../condition.ts";

/** Most unsent messages, and their bytes, before writers have to wait. */
const MAX_MESSAGES = 500;
const MAX_BYTES = 512 * 1024;

/** Back-pressure: unsent messages and bytes, over all peers. */
export interface BackPressure {
  /** Counts a queued message of so many bytes. */
  add(bytes: number): void;
  /** Counts it out again. */
  remove(bytes: number): void;
  /** Resolves once fewer than 500 messages and 512 KiB are unsent. */
  room(): Promise<void>;
}

export function createBackPressure(): BackPressure {
  const shrunk = createCondition();
  let messages = 0;
  let total = 0;

  return {
    add(bytes) {
      messages++;
      total += bytes;
    },
    remove(bytes) {
      messages--;
      total -= bytes;
      shrunk.notify();
    },
    room: () => shrunk.until(() => messages < MAX_MESSAGES && total < MAX_BYTES),
  };
}
