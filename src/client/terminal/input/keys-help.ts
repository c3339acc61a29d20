/** The keys that are worth telling of, for :help. */
export const KEYS_HELP: readonly (readonly [string, string])[] = [
  ["Tab", "completes commands and, behind :user, names"],
  ["Up, Down", "what you typed before"],
  ["Ctrl-R", "searches it backwards; Escape goes back"],
  ["Alt-S, Alt-R", ":again, :reply"],
  ["Ctrl-C", "clears the line, and leaves on an empty one"],
];
