import { errorCode, TalkError } from "../../../core/errors.ts";
import { CUT_SENTENCE, mayBeCut, readLines } from "../../lines.ts";
import type { Output } from "../../session/model.ts";
import type { Screen } from "../types.ts";

/** What screens have in common at which nobody presses keys: lines come from the standard input, and end with it. */
export const unattended = {
  follow() {},
  left: new Promise<void>(() => {}),
  release() {},
} satisfies Partial<Screen>;

/**
 * The lines of the standard input; one that a terminal may have cut is refused, and that is shown.
 * @throws TalkError if the input cannot be read: a folder has no lines
 */
export async function* stdinLines(show: (output: Output) => void): AsyncGenerator<string> {
  try {
    for await (const line of readLines(Bun.stdin.stream())) {
      if (process.stdin.isTTY && mayBeCut(line)) show({ type: "failure", sentence: CUT_SENTENCE });
      else yield line;
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    throw new TalkError("unreadable", `standard input cannot be read (${code})`);
  }
}
