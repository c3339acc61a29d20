/** When the bell rings. */
import type { Clock } from "../../../core/clock.ts";
import type { Bell } from "../types.ts";

/** The bell rings once in this many milliseconds at most. */
const QUIET_MS = 1000;

/** @param when messages ring it */
export function createBell(when: Bell, clock: Clock) {
  // Terminals that do not report the focus are looked at, as far as we know.
  let focused = true;
  let due = false;
  let last = Number.NEGATIVE_INFINITY;

  return {
    setFocus(now: boolean): void {
      focused = now;
    },
    /** A message came. */
    messageArrived(fromSelected: boolean): void {
      if (when === "all" || (when === "unselected" && !(focused && fromSelected))) due = true;
    },
    /** What to write to ring it, if it is time to. */
    ring(): string {
      if (!due) return "";
      due = false;
      if (clock.now() - last < QUIET_MS) return "";
      last = clock.now();
      return "\x07";
    },
  };
}
