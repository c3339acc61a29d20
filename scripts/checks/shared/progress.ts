const WIDTH = 30;

/** Draws a progress bar, but only in a terminal. @param note shown after it */
export function progress(done: number, all: number, note = ""): void {
  if (!process.stderr.isTTY) return;
  const filled = Math.round((done / all) * WIDTH);
  process.stderr.write(`\r[${"#".repeat(filled).padEnd(WIDTH)}] ${done} of ${all} ${note}\x1b[K`);
  if (done === all) process.stderr.write("\n");
}
