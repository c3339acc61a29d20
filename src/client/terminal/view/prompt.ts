/** The line being typed, as rows with a cursor. */
import { escapesOf } from "../../../core/sanitize.ts";
import type { EditLine } from "../input/line.ts";
import { cells, tabAt } from "./cells.ts";
import type { Block } from "./renderer.ts";
import type { Row, Span } from "./wrap.ts";

/**
 * Lays out the prompt and the line; if that takes more than `limit` rows, only those around the cursor. The last row is
 * never full.
 */
export function layoutPrompt(prompt: readonly Span[], line: EditLine, columns: number, limit: number): Block {
  const rows: Row[] = [];
  let row: Row = { text: "", width: 0 };
  let cursor = { row: 0, column: 0 };

  function put(text: string, width: number, style: Span["style"]): void {
    if (row.width + width > columns) endRow();
    row = { text: row.text + (style ? style(text) : text), width: row.width + width };
    if (row.width >= columns) endRow();
  }

  function endRow(): void {
    rows.push(row);
    row = { text: "", width: 0 };
  }

  for (const { text, style } of prompt) for (const cell of cells(text)) put(cell.text, cell.width, style);
  let index = 0;
  // Escape the line as a whole: whether a character is escaped depends on its neighbours.
  const escapes = escapesOf(line.text);
  let next = 0;
  for (const cell of cells(line.text)) {
    const { text } = cell;
    if (index === line.cursor) cursor = { row: rows.length, column: row.width };
    if (text === "\t") {
      const { width } = tabAt(row.width);
      put(" ".repeat(width), width, undefined);
    } else {
      let safe = "";
      let from = 0;
      for (let one = escapes[next]; one && one.index < index + text.length; one = escapes[++next]) {
        safe += text.slice(from, one.index - index) + one.shown;
        from = one.index - index + one.length;
      }
      // Escapes wrap like any other text.
      for (const piece of safe === "" ? [cell] : cells(safe + text.slice(from)))
        put(piece.text, piece.width, undefined);
    }
    index += text.length;
  }
  if (index === line.cursor) cursor = { row: rows.length, column: row.width };
  rows.push(row);
  return within({ rows, cursor }, limit);
}

function within({ rows, cursor }: Block, limit: number): Block {
  if (rows.length <= limit) return { rows, cursor };
  const start = Math.min(Math.max(0, cursor.row - Math.floor(limit / 2)), rows.length - limit);
  const shown = rows.slice(start, start + limit);
  const last = shown.at(-1);
  // Erasing after a full row would remove its last character.
  if (last && start + limit < rows.length) shown.push({ text: "", width: 0 });
  return { rows: shown, cursor: { row: cursor.row - start, column: cursor.column } };
}
