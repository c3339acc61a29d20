/** The rows at the bottom: pending texts, completions, and the line being typed or the paste to confirm. */
import { visibleName, visibleText } from "../../../core/sanitize.ts";
import type { Session } from "../../session/model.ts";
import type { Editor, Search } from "../input/editor.ts";
import type { Entry } from "./entries.ts";
import { layoutPrompt } from "./prompt.ts";
import type { Block } from "./renderer.ts";
import type { Theme } from "./theme.ts";
import { type Row, type Span, wrap } from "./wrap.ts";

/** Most rows each for the completions, a paste and a typed line. */
const MAX_ROWS = 8;

export interface StatusArea {
  editor: Editor;
  session: Session | undefined;
  /** My texts whose outcome is not known yet, oldest first. */
  pending: readonly Entry[];
}

/** Lays out the area in no more rows than the screen has. */
export function layoutStatusArea(
  area: StatusArea,
  theme: Theme,
  size: { columns: number; lines: number },
): Block {
  const { editor, session, pending } = area;
  const { columns, lines } = size;
  const most = Math.max(1, Math.min(MAX_ROWS, lines - 2));
  const bottom =
    editor.pasted === undefined
      ? layoutPrompt(
          editor.search ? layoutSearch(editor.search, theme) : layoutRecipient(session, theme, columns),
          editor.line,
          columns,
          most,
        )
      : layoutPaste(editor.pasted, session, theme, columns, most);
  let room = Math.max(0, lines - bottom.rows.length);
  const candidates = layoutCandidates(editor.candidates, theme, columns).slice(0, Math.min(most, room));
  room -= candidates.length;
  const sending = layoutPending(pending, theme, columns, Math.min(3, room));
  const above = [...sending, ...candidates];
  return {
    rows: [...above, ...bottom.rows],
    cursor: { ...bottom.cursor, row: bottom.cursor.row + above.length },
  };
}

/** The prompt: unread counts of users who can be selected, then the recipient; shortened on narrow screens. */
function layoutRecipient(
  session: Session | undefined,
  { bold, user, marks }: Theme,
  columns: number,
): Span[] {
  const unread = [...(session?.inbox.unread ?? [])].filter(([name]) => session?.users.has(name));
  const names = unread.map(([name, count]) => `${visibleName(name)} ${count}`).join(", ");
  const total = unread.reduce((sum, [, count]) => sum + count, 0);
  const shown = names.length <= columns / 3 ? names : String(total);
  const spans: Span[] = total === 0 ? [] : [{ text: `[${shown}] `, style: bold }];
  const selected = session?.selected;
  if (selected === undefined) return [...spans, { text: "> " }];
  const most = Math.max(4, Math.floor(columns / 3));
  const name = visibleName(selected);
  const short = name.length <= most ? name : name.slice(0, most - marks.cut.length) + marks.cut;
  return [...spans, { text: short, style: user(selected) }, { text: "> " }];
}

function layoutSearch({ query, found }: Search, { bold }: Theme): Span[] {
  return [{ text: found ? "search" : "no line with", style: bold }, { text: ` "${visibleText(query)}": ` }];
}

function layoutPaste(
  text: string,
  session: Session | undefined,
  { bold, dim, marks }: Theme,
  columns: number,
  most: number,
): Block {
  const paragraphs = text.split("\n");
  const to = session?.selected === undefined ? "" : ` to ${visibleName(session.selected)}`;
  const title = wrap([{ text: `${paragraphs.length} lines${to}:`, style: bold }], columns, 2);
  const question = wrap(
    [{ text: "Enter sends them as one message, Esc drops them ", style: bold }],
    columns,
    2,
  );
  const room = Math.max(1, most - title.length - question.length);
  const shown = paragraphs.length <= room ? paragraphs : paragraphs.slice(0, Math.max(0, room - 1));
  const preview = shown.flatMap((line) => wrap([{ text: `  ${visibleText(line)}` }], columns, 2).slice(0, 1));
  const rest = paragraphs.length - shown.length;
  const more = rest === 0 ? [] : wrap([{ text: `  ${marks.cut} ${rest} more`, style: dim }], columns, 2);
  const rows = [...title, ...preview, ...more, ...question];
  if (rows.at(-1)?.width === columns) rows.push({ text: "", width: 0 });
  return { rows, cursor: { row: rows.length - 1, column: rows.at(-1)?.width ?? 0 } };
}

function layoutCandidates(candidates: readonly string[], { dim }: Theme, columns: number): Row[] {
  if (candidates.length === 0) return [];
  return wrap([{ text: candidates.join("  "), style: dim }], columns, 0);
}

function layoutPending(
  pending: readonly Entry[],
  { dim, marks }: Theme,
  columns: number,
  most: number,
): Row[] {
  const rows: Row[] = [];
  for (const [i, entry] of pending.entries()) {
    const next = entry(columns);
    const others = pending.length - i;
    if (rows.length + next.length > most - (others > 1 ? 1 : 0)) {
      const rest = { text: `${marks.cut} ${others} on the way`, style: dim };
      return most === 0 ? [] : [...rows, ...wrap([rest], columns, 2)].slice(0, most);
    }
    rows.push(...next);
  }
  return rows;
}
