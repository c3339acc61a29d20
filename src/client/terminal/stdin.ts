import { errorCode, TalkError } from "../../core/errors.ts";
import { readLines } from "../../core/lines.ts";

/** What is piped in, line by line. @throws TalkError if it cannot be read: a folder has no lines */
export async function* stdinLines(): AsyncGenerator<string> {
  try {
    yield* readLines(Bun.stdin.stream());
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    throw new TalkError("unreadable", `standard input cannot be read (${code})`);
  }
}
