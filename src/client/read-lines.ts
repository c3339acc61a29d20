/** Reads lines from a stream, and detects lines a terminal may have truncated. */
import { nextTurn } from "../core/clock.ts";

/** Most characters of a line; far above the message limit. */
const MAX_LINE = 1024 * 1024;

/**
 * The lines of a UTF-8 stream, without line endings (LF or CRLF). Truncates a line over 1 MB at once, skipping the rest
 * of it. Yields to the event loop after each chunk, so that a stream which is always ready starves nobody.
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
 * Longest line, in bytes, from a terminal in canonical mode, which silently drops the rest of a longer one (Linux:
 * N_TTY_BUF_SIZE less the line break; elsewhere MAX_CANON). So a line of that length may be truncated.
 */
const MOST_BYTES = process.platform === "linux" ? 4095 : 1023;

/** Whether a terminal may have truncated the line. */
export function mayBeCut(line: string): boolean {
  return Buffer.byteLength(line) >= MOST_BYTES;
}

/** Why such a line is not sent, and how to send it. */
export const CUT_SENTENCE = `the terminal cuts lines at ${MOST_BYTES} bytes, so nothing was sent; pipe a longer text in`;
