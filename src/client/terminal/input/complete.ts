/** What Tab makes of a line up to the cursor. */

export interface Completion {
  /** Replaces what is before the cursor. */
  text: string;
  /** What else it could become, if there is no one way on. */
  candidates: string[];
}

/** Completes a command, and behind `:user ` a user's name, in whatever case they begin. @param commands without their colon */
export function complete(typed: string, commands: readonly string[], users: readonly string[]): Completion {
  const user = /^:user\s+(\S*)$/i.exec(typed)?.[1];
  if (user !== undefined) return extend(typed, user, users, "");
  const command = /^:([a-z]*)$/i.exec(typed)?.[1];
  if (command !== undefined) return extend(typed, command, commands, ":");
  return { text: typed, candidates: [] };
}

function extend(typed: string, word: string, words: readonly string[], mark: string): Completion {
  const begins = word.toLowerCase();
  const fitting = words.filter((candidate) => candidate.toLowerCase().startsWith(begins)).sort();
  // Of names that differ in case alone, the one begun in that case is meant.
  const [only = fitting[0], ...twins] = fitting.filter((candidate) => candidate.startsWith(word));
  if (only === undefined) return { text: typed, candidates: [] };
  const before = typed.slice(0, typed.length - word.length);
  const sure = fitting.length === 1 || (twins.length === 0 && fitting.every((one) => isTwin(one, only)));
  if (sure) return { text: `${before}${only} `, candidates: [] };
  const length = Math.min(...fitting.map((candidate) => common(candidate, only)));
  if (length > word.length) return { text: before + only.slice(0, length), candidates: [] };
  return { text: typed, candidates: fitting.map((name) => mark + name) };
}

function isTwin(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** How much two words start with alike, in whatever case. */
function common(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length]?.toLowerCase() === b[length]?.toLowerCase()) length++;
  return length;
}
