import { errorCode, TalkError } from "../../core/errors.ts";
import { readLines } from "../../core/lines.ts";
import type { Screen } from "./screen.ts";

/** What screens have in common at which nobody presses keys: lines come from the standard input, and end with it. */
export const unattended = {
  lines: stdinLines,
  follow() {},
  left: new Promise<void>(() => {}),
  release() {},
} satisfies Partial<Screen>;

/** @throws TalkError if the input cannot be read: a folder has no lines */
async function* stdinLines(): AsyncGenerator<string> {
  try {
    yield* readLines(Bun.stdin.stream());
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    throw new TalkError("unreadable", `standard input cannot be read (${code})`);
  }
}
