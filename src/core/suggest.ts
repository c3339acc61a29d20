/** The word most likely meant: one that starts as typed, else the nearest within two edits. */
export function suggest(typed: string, words: readonly string[]): string | undefined {
  if (typed === "") return undefined;
  const near = words
    .map((word) => ({ word, edits: distance(typed, word) }))
    .sort((a, b) => a.edits - b.edits)[0];
  return words.find((word) => word.startsWith(typed)) ?? (near && near.edits <= 2 ? near.word : undefined);
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (left === right ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
