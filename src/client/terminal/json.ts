import { jsonLine } from "../../core/sanitize.ts";
import { toEvent } from "../session/program-events.ts";
import { stdinLines, unattended } from "./input/unattended.ts";
import type { Screen } from "./types.ts";
import { openOutput } from "./view/output.ts";

/** One JSON object a line for everything that happens, for programs in any language. */
export function openJson(): Screen {
  const { write, full, room, hungUp, end } = openOutput(process.stdout);
  return {
    ...unattended,
    lines() {
      return stdinLines((output) => this.show(output));
    },
    show(output) {
      const event = toEvent(output);
      if (event) write(`${jsonLine(event)}\n`);
    },
    full,
    room,
    hungUp,
    close: end,
  };
}
