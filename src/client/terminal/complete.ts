/** What Tab makes of a line up to the cursor. */

export interface Completion {
  /** Replaces what is before the cursor. */
  text: string;
  /** What else it could become, if there is no one way on. */
  candidates: string[];
}

/** Completes a command, and behind `:user ` a user's name. @param commands without their colon */
export function complete(typed: string, commands: readonly string[], users: readonly string[]): Completion {
  const user = /^:user\s+(\S*)$/.exec(typed)?.[1];
  if (user !== undefined) return extend(typed, user, users, "");
  const command = /^:([a-z]*)$/.exec(typed)?.[1];
  if (command !== undefined) return extend(typed, command, commands, ":");
  return { text: typed, candidates: [] };
}

function extend(typed: string, word: string, words: readonly string[], mark: string): Completion {
  const fitting = words.filter((candidate) => candidate.startsWith(word)).sort();
  const [only, ...others] = fitting;
  if (only === undefined) return { text: typed, candidates: [] };
  const rest = others.reduce(common, only).slice(word.length);
  if (others.length === 0) return { text: `${typed}${rest} `, candidates: [] };
  return { text: typed + rest, candidates: rest === "" ? fitting.map((name) => mark + name) : [] };
}

/** What two words start with alike. */
function common(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
