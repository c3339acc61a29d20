const WIDTH = 30;

/** Draws how far a script is, in a terminal only. @param note what else is worth a look */
export function progress(done: number, all: number, note = ""): void {
  if (!process.stderr.isTTY) return;
  const filled = Math.round((done / all) * WIDTH);
  process.stderr.write(`\r[${"#".repeat(filled).padEnd(WIDTH)}] ${done} of ${all} ${note}\x1b[K`);
  if (done === all) process.stderr.write("\n");
}
