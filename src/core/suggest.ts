/**
 * The word most likely meant, in whatever case: one that starts as typed, else the nearest within two edits, or one
 * where three letters or less were typed.
 */
export function suggest(typed: string, words: readonly string[]): string | undefined {
  if (typed === "") return undefined;
  const wanted = typed.toLowerCase();
  const begun = words.find((word) => word.toLowerCase().startsWith(wanted));
  if (begun !== undefined) return begun;
  let most = wanted.length > 3 ? 2 : 1;
  let nearest: string | undefined;
  for (const word of words) {
    // Each letter that one has more costs an edit: of a long list, few are looked at.
    if (Math.abs(word.length - wanted.length) > most) continue;
    const edits = distance(wanted, word.toLowerCase());
    if (edits > most || (edits === most && nearest !== undefined)) continue;
    most = edits;
    nearest = word;
  }
  return nearest;
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
