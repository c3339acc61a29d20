/**
 * Whether all of these standard streams are terminals. Asks process.stdin or process.stdout only about a character device:
 * loading them costs more than everything else before the first line of a client in a pipe, which uses Bun.stdout.
 */
export async function isTerminal(...names: ("stdin" | "stdout")[]): Promise<boolean> {
  for (const name of names) {
    if (!(await Bun[name].stat()).isCharacterDevice() || !process[name].isTTY) return false;
  }
  return true;
}
