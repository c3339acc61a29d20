/** Paragraphs wrapped into rows of a terminal. */
import { cells, tabAt } from "./cells.ts";

/** A piece of text in one style, already safe to print. */
export interface Span {
  text: string;
  /** Puts the style around a piece of the text. */
  style?: (text: string) => string;
}

/** A row as it is written, and how many columns it takes. */
export interface Row {
  text: string;
  width: number;
}

/**
 * One paragraph as rows of at most `columns`, cut at spaces where that is possible; rows after the first are
 * indented, so that none can pass for the start of another paragraph.
 */
export function wrap(spans: readonly Span[], columns: number, indent: number): Row[] {
  const rows: Row[] = [];
  /** The row so far: words and spaces, with the width behind each. */
  let row = { text: "", width: 0 };
  /** Columns of the row before its own text. */
  let margin = 0;
  /** What follows the last space, not yet sure to fit. */
  let word: Word = { text: "", width: 0 };

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
        // A space at the edge is where the row ends.
        flush();
        // So does it where moving the word would leave half of it empty.
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

/** What has been put together since the last space. */
interface Word {
  text: string;
  width: number;
}
