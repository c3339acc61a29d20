/** The bell: what rings it, and how often. */
import type { Clock } from "../../../core/clock.ts";
import type { Bell } from "../types.ts";

/** Least time between two rings, in milliseconds. */
const QUIET_MS = 1000;

/** @param when a message rings it */
export function createBell(when: Bell, clock: Clock) {
  // A terminal that does not report focus counts as focused.
  let focused = true;
  let due = false;
  let last = Number.NEGATIVE_INFINITY;

  return {
    setFocus(now: boolean): void {
      focused = now;
    },
    messageArrived(fromSelected: boolean): void {
      if (when === "all" || (when === "unselected" && !(focused && fromSelected))) due = true;
    },
    /** Returns BEL if a ring is due, else an empty string. */
    ring(): string {
      if (!due) return "";
      due = false;
      if (clock.now() - last < QUIET_MS) return "";
      last = clock.now();
      return "\x07";
    },
  };
}
