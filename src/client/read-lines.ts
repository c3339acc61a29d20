/** Lines of a stream, and lines that a terminal may have cut. */
import { nextTurn } from "../core/clock.ts";

/** Most characters of a line that are kept; far more than a message may have. */
const MAX_LINE = 1024 * 1024;

/**
 * The lines of a stream in UTF-8, without their ends (LF or CRLF). A longer line than 1 MB is handed out cut, as soon as
 * it is, and the rest of it skipped. Every chunk costs a turn of the event loop, so that a stream which is always ready
 * starves nobody.
 */
export async function* readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let skipping = false;
  for await (const chunk of stream) {
    const pieces = decoder.decode(chunk, { stream: true }).split("\n");
    const last = pieces.pop() ?? "";
    for (const piece of pieces) {
      const line = rest + piece;
      rest = "";
      if (!skipping) yield line.replace(/\r$/, "");
      skipping = false;
    }
    if (!skipping) rest += last;
    if (rest.length > MAX_LINE) {
      yield rest.slice(0, MAX_LINE);
      rest = "";
      skipping = true;
    }
    await nextTurn();
  }
  rest += decoder.decode();
  if (rest !== "") yield rest.replace(/\r$/, "");
}

/**
 * Most bytes of a line that a terminal hands over while it edits lines itself; of a longer one it drops the rest without
 * a word (Linux: N_TTY_BUF_SIZE less the line break; elsewhere MAX_CANON). So a line of that length may be only a part.
 */
const MOST_BYTES = process.platform === "linux" ? 4095 : 1023;

/** Whether a terminal may have cut the line. */
export function mayBeCut(line: string): boolean {
  return Buffer.byteLength(line) >= MOST_BYTES;
}

/** Why such a line is not sent, and how it can be. */
export const CUT_SENTENCE = `the terminal cuts lines at ${MOST_BYTES} bytes, so nothing was sent; pipe a longer text in`;
