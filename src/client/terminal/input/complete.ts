/** Tab completion. */

export interface Completion {
  /** Replaces the text before the cursor. */
  text: string;
  /** Possible completions, if ambiguous. */
  candidates: string[];
}

/** Completes a command, or a user name after a command that takes one; ignores case. @param commands without colons */
export function complete(typed: string, commands: readonly string[], users: readonly string[]): Completion {
  const user = /^:(?:user|last|again|drop|to)\s+(?:\S*,)?([^\s,]*)$/i.exec(typed)?.[1];
  if (user !== undefined) return extend(typed, user, users, "");
  const command = /^:([a-z]*)$/i.exec(typed)?.[1];
  if (command !== undefined) return extend(typed, command, commands, ":");
  return { text: typed, candidates: [] };
}

function extend(typed: string, word: string, words: readonly string[], mark: string): Completion {
  const prefix = word.toLowerCase();
  const matches = words.filter((candidate) => candidate.toLowerCase().startsWith(prefix)).sort();
  // Among names that differ only in case, prefer the one typed in that case.
  const [only = matches[0], ...twins] = matches.filter((candidate) => candidate.startsWith(word));
  if (only === undefined) return { text: typed, candidates: [] };
  const before = typed.slice(0, typed.length - word.length);
  const unambiguous =
    matches.length === 1 || (twins.length === 0 && matches.every((one) => differInCaseOnly(one, only)));
  if (unambiguous) return { text: `${before}${only} `, candidates: [] };
  const length = Math.min(...matches.map((candidate) => commonPrefix(candidate, only)));
  if (length > word.length) return { text: before + only.slice(0, length), candidates: [] };
  return { text: typed, candidates: matches.map((name) => mark + name) };
}

function differInCaseOnly(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Length of the common prefix of two words, ignoring case. */
function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length]?.toLowerCase() === b[length]?.toLowerCase()) length++;
  return length;
}
