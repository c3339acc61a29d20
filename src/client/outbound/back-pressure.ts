import { createCondition } from "../../core/bounded-queue.ts";

/** Most unsent messages, and bytes of them, before whoever writes more has to wait. */
const MAX_MESSAGES = 500;
const MAX_BYTES = 512 * 1024;

/** Back-pressure: unsent messages and bytes, over all peers. */
export interface BackPressure {
  /** A message of so many bytes waits to be sent. */
  add(bytes: number): void;
  /** It does not wait any more. */
  remove(bytes: number): void;
  /** Resolves once fewer than 500 messages wait, and less than half a megabyte. */
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
