/**
 * The word most likely meant, ignoring case: one with the typed prefix, else the nearest within two edits (one edit for
 * up to three letters).
 */
export function suggest(typed: string, words: readonly string[]): string | undefined {
  if (typed === "") return undefined;
  const wanted = typed.toLowerCase();
  const begun = words.find((word) => word.toLowerCase().startsWith(wanted));
  if (begun !== undefined) return begun;
  let most = wanted.length > 3 ? 2 : 1;
  let nearest: string | undefined;
  for (const word of words) {
    // The difference in length is a lower bound of the distance, so most words of a long list are skipped.
    if (Math.abs(word.length - wanted.length) > most) continue;
    const edits = distance(wanted, word.toLowerCase());
    if (edits > most || (edits === most && nearest !== undefined)) continue;
    most = edits;
    nearest = word;
  }
  return nearest;
}

/** Levenshtein distance in which a transposition is one edit (optimal string alignment). */
function distance(a: string, b: string): number {
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const swapped =
        a[i] === b[j - 1] && a[i - 1] === b[j] ? (above[j - 1] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    [above, row] = [row, next];
  }
  return row.at(-1) ?? 0;
}
