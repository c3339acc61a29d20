import { createCondition } from "../../core/bounded-queue.ts";

/** Most messages that may wait before whoever writes them has to. */
const MAX_MESSAGES = 500;

/** The same in bytes, because a message may have 64,000. */
const MAX_BYTES = 512 * 1024;

/** How much waits to be sent, to all peers together. */
export interface Backlog {
  add(item: { bytes: number }): void;
  remove(item: { bytes: number }): void;
  /** Resolves once fewer than 500 messages wait, and less than half a megabyte. */
  room(): Promise<void>;
}

export function createBacklog(): Backlog {
  const shrunk = createCondition();
  let messages = 0;
  let total = 0;

  return {
    add({ bytes }) {
      messages++;
      total += bytes;
    },
    remove({ bytes }) {
      messages--;
      total -= bytes;
      shrunk.notify();
    },
    room: () => shrunk.until(() => messages < MAX_MESSAGES && total < MAX_BYTES),
  };
}
