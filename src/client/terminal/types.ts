/** How a person wants the terminal. */
import type { Clock } from "../../core/clock.ts";

/** When a message rings the bell: never, when its sender is not selected or the window not looked at, or always. */
export type Bell = "off" | "unselected" | "all";

export interface Settings {
  bell: Bell;
  env: Record<string, string | undefined>;
  clock: Clock;
  /** The time of day. */
  now: () => Date;
}
