/** The line editor as a pure function from a key to the new state and an action. */
import { complete } from "./complete.ts";
import type { Key } from "./keys.ts";
import { cut, type EditLine, EMPTY, insert, kills, moves, removals, transpose } from "./line.ts";

export interface Editor {
  line: EditLine;
  /** How far back in history the line is; 0 is the line being typed, which `draft` keeps during recall. */
  back: number;
  draft: EditLine;
  /** The text killed last, for Ctrl-Y. */
  killed: string;
  /** A multi-line paste awaiting confirmation. */
  pasted: string | undefined;
  /** Possible completions after an ambiguous Tab. */
  candidates: readonly string[];
  /** The search in progress (Ctrl-R). */
  search: Search | undefined;
}

export interface Search {
  query: string;
  /** Whether a line contains the query. */
  found: boolean;
  /** The editor to return to on Escape. */
  before: Editor;
}

export type Action =
  | { type: "none" }
  /** A line is complete. */
  | { type: "submit"; text: string }
  /** A key bound to a command; the line is unchanged. */
  | { type: "command"; text: string }
  | { type: "leave" | "suspend" | "repaint" };

/** Data for recall, search and completion. */
export interface EditorContext {
  history: readonly string[];
  /** Without their colon. */
  commands: readonly string[];
  users: readonly string[];
}

/** Keys bound to commands. */
const COMMAND_KEYS: Record<string, string> = { "alt-s": ":again", "alt-r": ":reply" };

/** The keys worth knowing, for :help. */
export const KEYS_HELP: readonly (readonly [string, string])[] = [
  ["Tab", "completes commands and, behind :user, names"],
  ["Up, Down", "what you typed before"],
  ["Ctrl-R", "searches it backwards; Escape goes back"],
  ["Alt-S, Alt-R", ":again, :reply"],
  ["Ctrl-C", "clears the line, and leaves on an empty one"],
];

const NONE: Action = { type: "none" };

export const BLANK: Editor = {
  line: EMPTY,
  back: 0,
  draft: EMPTY,
  killed: "",
  pasted: undefined,
  candidates: [],
  search: undefined,
};

/** The editor after a key, and the action the key asks for. */
export function press(before: Editor, key: Key, context: EditorContext): [Editor, Action] {
  if (key.type === "focus") return [before, NONE];
  const editor = { ...before, candidates: [] };
  if (editor.pasted !== undefined) return reviewPaste(editor, editor.pasted, key);
  if (editor.search !== undefined) return pressInSearch(editor, editor.search, key, context);
  if (key.type === "text") return [change(editor, insert(editor.line, key.text)), NONE];
  if (key.type === "paste") return paste(editor, key.text);
  return pressNamed(editor, key.name, context);
}

function pressNamed(editor: Editor, name: string, context: EditorContext): [Editor, Action] {
  const { line } = editor;
  switch (name) {
    case "enter":
      return [
        { ...BLANK, killed: editor.killed },
        { type: "submit", text: line.text },
      ];
    case "ctrl-c":
      if (line.text === "") return [editor, { type: "leave" }];
      return [{ ...BLANK, killed: editor.killed }, NONE];
    case "ctrl-d":
      if (line.text === "") return [editor, { type: "leave" }];
      break;
    case "ctrl-z":
      return [editor, { type: "suspend" }];
    case "ctrl-l":
      return [editor, { type: "repaint" }];
    case "up":
    case "ctrl-p":
      return [recall(editor, editor.back + 1, context.history), NONE];
    case "down":
    case "ctrl-n":
      return [recall(editor, editor.back - 1, context.history), NONE];
    case "ctrl-r":
      return [{ ...editor, search: { query: "", found: true, before: editor } }, NONE];
    case "tab":
      return [completeLine(editor, context), NONE];
    case "ctrl-y":
      return [change(editor, insert(line, editor.killed)), NONE];
    case "ctrl-t":
      return [change(editor, transpose(line)), NONE];
  }
  const move = moves[name];
  if (move) return [{ ...editor, line: { ...line, cursor: move(line) } }, NONE];
  const removal = removals[name];
  if (removal) return [change(editor, cut(line, removal(line))[0]), NONE];
  const kill = kills[name];
  if (kill) {
    const [left, killed] = cut(line, kill(line));
    return [{ ...change(editor, left), killed: killed || editor.killed }, NONE];
  }
  const command = COMMAND_KEYS[name];
  return [editor, command === undefined ? NONE : { type: "command", text: command }];
}

/** Editing a recalled line makes it the line being typed. */
function change(editor: Editor, line: EditLine): Editor {
  return { ...editor, line, back: 0 };
}

function recall(editor: Editor, back: number, history: readonly string[]): Editor {
  if (back < 0 || back > history.length) return editor;
  const draft = editor.back === 0 ? editor.line : editor.draft;
  const text = history[history.length - back];
  const line = text === undefined ? draft : { text, cursor: text.length };
  return { ...editor, line, draft, back };
}

/** Searches history backwards, as shells do: any other key ends the search and then does its own work. */
function pressInSearch(editor: Editor, search: Search, key: Key, context: EditorContext): [Editor, Action] {
  const { query, before } = search;
  if (key.type !== "press") {
    // Only a paste's first line: history search has no use for line breaks.
    const more = key.type === "focus" ? "" : key.text.replace(/\n.*/s, "");
    return [find(editor, search, query + more, Math.max(1, editor.back), context.history), NONE];
  }
  switch (key.name) {
    case "ctrl-r":
      return [find(editor, search, query, query === "" ? 1 : editor.back + 1, context.history), NONE];
    case "backspace": {
      const shorter = removeLast(query);
      return [find(before, search, shorter, 1, context.history), NONE];
    }
    case "ctrl-c":
    case "ctrl-g":
    case "escape":
      return [before, NONE];
    case "ctrl-z":
    case "ctrl-l":
      return pressNamed(editor, key.name, context);
    default:
      return pressNamed({ ...editor, search: undefined }, key.name, context);
  }
}

/** Shows the newest line, at least `from` back, that contains the query, ignoring case; if none, keeps the line. */
function find(
  editor: Editor,
  { before }: Search,
  query: string,
  from: number,
  history: readonly string[],
): Editor {
  if (query === "") return { ...before, search: { query, found: true, before } };
  const wanted = query.toLowerCase();
  for (let back = from; back <= history.length; back++) {
    const text = history[history.length - back] ?? "";
    const cursor = text.toLowerCase().indexOf(wanted);
    if (cursor < 0) continue;
    const shown = recall({ ...before, back: 0 }, back, history);
    return {
      ...shown,
      line: { text, cursor: Math.min(cursor, text.length) },
      search: { query, found: true, before },
    };
  }
  return { ...editor, search: { query, found: false, before } };
}

/** A text without its last grapheme. */
function removeLast(text: string): string {
  return cut({ text, cursor: text.length }, removals.backspace?.({ text, cursor: text.length }) ?? 0)[0].text;
}

function completeLine(editor: Editor, { commands, users }: EditorContext): Editor {
  const { text, cursor } = editor.line;
  const { text: typed, candidates } = complete(text.slice(0, cursor), commands, users);
  if (typed === text.slice(0, cursor)) return { ...editor, candidates };
  return { ...change(editor, { text: typed + text.slice(cursor), cursor: typed.length }), candidates };
}

/** Inserts a single line at the cursor; several lines become a message to confirm first. */
function paste(editor: Editor, text: string): [Editor, Action] {
  const { line } = editor;
  const whole = text.replace(/\n+$/, "");
  if (!whole.includes("\n")) return [change(editor, insert(line, whole)), NONE];
  return [{ ...editor, pasted: insert(line, whole).text }, NONE];
}

function reviewPaste(editor: Editor, pasted: string, key: Key): [Editor, Action] {
  if (key.type !== "press") return [editor, NONE];
  switch (key.name) {
    case "enter":
      return [
        { ...BLANK, killed: editor.killed },
        { type: "submit", text: escapeCommand(pasted) },
      ];
    case "escape":
    case "ctrl-c":
      return [{ ...editor, pasted: undefined }, NONE];
    case "ctrl-z":
      return [editor, { type: "suspend" }];
    default:
      return [editor, NONE];
  }
}

/** The line that sends a text literally, even if it starts like a command. */
function escapeCommand(text: string): string {
  return /^:(:|[a-z])/i.test(text) ? `:${text}` : text;
}
