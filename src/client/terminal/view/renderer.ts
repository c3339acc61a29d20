/** The terminal output that appends rows and redraws the block below them. */
import type { Row } from "./wrap.ts";

/** The rows at the bottom, never more than the screen has, and the cursor's place in them. */
export interface Block {
  rows: Row[];
  cursor: { row: number; column: number };
}

export interface Renderer {
  /** Appends rows above the block, and redraws the block. */
  draw(added: readonly Row[], block: Block, columns: number): string;
  /** Redraws the whole screen: the last rows above the block, and the block. */
  repaint(kept: readonly Row[], block: Block, columns: number, lines: number): string;
  /** Erases the block, leaving the cursor where it began. */
  erase(): string;
}

/** Synchronized output (mode 2026), where supported, hides half-drawn frames; cursor and wrapping are off meanwhile. */
const BEGIN = "\x1b[?2026h\x1b[?25l\x1b[?7l";
const END = "\x1b[?7h\x1b[?25h\x1b[?2026l";

export function createRenderer(): Renderer {
  /** The row of the block that holds the cursor. */
  let cursorRow = 0;

  function toTop(): string {
    const up = cursorRow > 0 ? `\x1b[${cursorRow}A` : "";
    cursorRow = 0;
    return `\r${up}`;
  }

  function drawn({ rows, cursor }: Block, columns: number): string {
    cursorRow = cursor.row;
    const up = Math.max(0, rows.length - 1 - cursor.row);
    // The block's last row is never full, because erasing after it would remove its last character.
    return `${rows.map((row) => overwrite(row, columns)).join("\r\n")}\x1b[J${up > 0 ? `\x1b[${up}A` : ""}\x1b[${cursor.column + 1}G`;
  }

  return {
    draw(added, block, columns) {
      const top = toTop();
      const above = added.map((row) => `${overwrite(row, columns)}\r\n`).join("");
      return BEGIN + top + above + drawn(block, columns) + END;
    },
    repaint(kept, block, columns, lines) {
      const room = Math.max(0, lines - block.rows.length);
      const above = room === 0 ? [] : kept.slice(-room);
      const text = above.map((row) => `${overwrite(row, columns)}\r\n`).join("");
      return `${BEGIN}\x1b[H${text}${drawn(block, columns)}${END}`;
    },
    erase: () => `${toTop()}\x1b[J`,
  };
}

/** Overwrites a row, and erases the rest of its line unless it is full: that would remove its last character. */
function overwrite({ text, width }: Row, columns: number): string {
  return width < columns ? `${text}\x1b[K` : text;
}
