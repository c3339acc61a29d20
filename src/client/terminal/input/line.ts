/** A line with a cursor, and the editing keys. */
import { graphemesOf } from "../view/cells.ts";

/** `cursor` is an index into the text: the start of a grapheme, or the end. */
export interface EditLine {
  text: string;
  cursor: number;
}

export const EMPTY: EditLine = { text: "", cursor: 0 };

/** Inserts text at the cursor, and moves the cursor past it. */
export function insert({ text, cursor }: EditLine, added: string): EditLine {
  return { text: text.slice(0, cursor) + added + text.slice(cursor), cursor: cursor + added.length };
}

/** Where each key moves the cursor. */
export const moves: Record<string, (line: EditLine) => number> = {
  left: before,
  "ctrl-b": before,
  right: after,
  "ctrl-f": after,
  home: () => 0,
  "ctrl-a": () => 0,
  end: ({ text }) => text.length,
  "ctrl-e": ({ text }) => text.length,
  "ctrl-left": wordStart,
  "alt-left": wordStart,
  "alt-b": wordStart,
  "ctrl-right": wordEnd,
  "alt-right": wordEnd,
  "alt-f": wordEnd,
};

/** Each key removes the text between the cursor and this place. */
export const removals: Record<string, (line: EditLine) => number> = {
  backspace: before,
  delete: after,
  "ctrl-d": after,
};

/** Like `removals`, but Ctrl-Y puts the text back. */
export const kills: Record<string, (line: EditLine) => number> = {
  "ctrl-u": () => 0,
  "ctrl-k": ({ text }) => text.length,
  "ctrl-w": ({ text, cursor }) => text.slice(0, cursor).replace(/\S*\s*$/u, "").length,
  "alt-backspace": wordStart,
  "alt-d": wordEnd,
  "ctrl-delete": wordEnd,
};

/** Removes the text between the cursor and a place; returns the line and the removed text. */
export function cut({ text, cursor }: EditLine, place: number): [EditLine, string] {
  const [from, to] = place < cursor ? [place, cursor] : [cursor, place];
  return [{ text: text.slice(0, from) + text.slice(to), cursor: from }, text.slice(from, to)];
}

/** Swaps the two graphemes around the cursor; at the end of the line, the last two. */
export function transpose(line: EditLine): EditLine {
  const middle = line.cursor === line.text.length ? before(line) : line.cursor;
  const start = before({ ...line, cursor: middle });
  const end = after({ ...line, cursor: middle });
  if (start === middle) return line;
  const { text } = line;
  const swapped = text.slice(middle, end) + text.slice(start, middle);
  return { text: text.slice(0, start) + swapped + text.slice(end), cursor: end };
}

function before({ text, cursor }: EditLine): number {
  let start = 0;
  for (const { index } of graphemesOf(text.slice(0, cursor))) start = index;
  return start;
}

function after({ text, cursor }: EditLine): number {
  const [first] = graphemesOf(text.slice(cursor));
  return cursor + (first?.segment.length ?? 0);
}

function wordStart({ text, cursor }: EditLine): number {
  return text.slice(0, cursor).replace(/[\p{L}\p{N}\p{M}]*[^\p{L}\p{N}\p{M}]*$/u, "").length;
}

function wordEnd({ text, cursor }: EditLine): number {
  const [word = ""] = /^[^\p{L}\p{N}\p{M}]*[\p{L}\p{N}\p{M}]*/u.exec(text.slice(cursor)) ?? [];
  return cursor + word.length;
}
