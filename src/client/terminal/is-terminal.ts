/**
 * Whether these standard streams are terminals, all of them. Asks a stream itself only if it is a character device,
 * because to load it takes longer than everything else a client in a pipe does before its first line.
 */
export async function isTerminal(...names: ("stdin" | "stdout")[]): Promise<boolean> {
  for (const name of names) {
    if (!(await Bun[name].stat()).isCharacterDevice() || !process[name].isTTY) return false;
  }
  return true;
}
