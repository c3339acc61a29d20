/** Wraps paragraphs into terminal rows. */
import { cells, tabAt } from "./cells.ts";

/** A piece of text in one style, already safe to print. */
export interface Span {
  text: string;
  /** Wraps a piece of the text in its escape sequences. */
  style?: (text: string) => string;
}

/** A row to write, and its width in columns. */
export interface Row {
  text: string;
  width: number;
}

/**
 * Wraps one paragraph into rows of at most `columns`, at spaces where possible. Rows after the first are indented, so
 * that none can be mistaken for the start of another paragraph.
 */
export function wrap(spans: readonly Span[], columns: number, indent: number): Row[] {
  const rows: Row[] = [];
  /** The row so far, up to its last space. */
  let row = { text: "", width: 0 };
  /** Columns of indentation in the row. */
  let margin = 0;
  /** The text after the last space, which may still move to the next row. */
  let word: Row = { text: "", width: 0 };

  function endRow(): void {
    rows.push(row);
    margin = Math.min(indent, Math.max(0, columns - 2));
    row = { text: " ".repeat(margin), width: margin };
  }

  function endWord(): void {
    row = { text: row.text + word.text, width: row.width + word.width };
    word = { text: "", width: 0 };
  }

  for (const { text, style = (plain: string) => plain } of spans) {
    let plain = "";
    const flush = () => {
      word.text += plain === "" ? "" : style(plain);
      plain = "";
    };
    for (const piece of cells(text)) {
      const cell = piece.text === "\t" ? tabAt(row.width + word.width) : piece;
      const isSpace = piece.text === " " || piece.text === "\t";
      if (row.width + word.width + cell.width > columns && row.width + word.width > margin) {
        flush();
        // A space at the edge ends the row. A word is cut if moving it would leave half of the row empty.
        if (isSpace || row.width === margin || word.width > columns / 2) endWord();
        endRow();
        if (isSpace) continue;
      }
      plain += cell.text;
      word.width += cell.width;
      if (!isSpace) continue;
      flush();
      endWord();
    }
    flush();
  }
  endWord();
  rows.push(row);
  return rows;
}
