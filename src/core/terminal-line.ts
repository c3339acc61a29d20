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
