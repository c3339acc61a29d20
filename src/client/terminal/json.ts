import { jsonLine } from "../../core/json-line.ts";
import { toEvent } from "../events.ts";
import { countedOutput } from "./output.ts";
import type { Screen } from "./screen.ts";
import { stdinLines } from "./stdin.ts";

/** One JSON object a line for everything that happens, for programs in any language. */
export function openJson(): Screen {
  const { stdout } = process;
  const output = countedOutput(stdout);
  const hungUp = Promise.withResolvers<void>();
  stdout.on("error", () => hungUp.resolve());

  return {
    lines: stdinLines,
    show(shown) {
      const event = toEvent(shown);
      if (event)
        output.write(`${jsonLine(event)}
`);
    },
    follow() {},
    left: new Promise(() => {}),
    full: output.full,
    hungUp: hungUp.promise,
    release() {},
    // An empty write is done at once, whatever waits before it.
    close: () => new Promise((done) => void stdout.end(() => done())),
  };
}
