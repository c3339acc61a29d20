/** What is written to a terminal to show rows that stay, and below them a block that is drawn anew each time. */
import type { Row } from "./wrap.ts";

/** The rows at the bottom, never more than the screen has, and where in them the cursor is. */
export interface Block {
  rows: Row[];
  cursor: { row: number; column: number };
}

export interface Renderer {
  /** Adds rows above the block, and draws the block. */
  draw(added: readonly Row[], block: Block, columns: number): string;
  /** Draws all of the screen: the last of the rows that stay, and the block. */
  repaint(kept: readonly Row[], block: Block, columns: number, lines: number): string;
  /** Takes the block away; the cursor is then where it began. */
  erase(): string;
}

/** Synchronized output (mode 2026) where the terminal has it, so that no half-drawn frame is seen; no cursor and no wrapping meanwhile. */
const BEGIN = "\x1b[?2026h\x1b[?25l\x1b[?7l";
const END = "\x1b[?7h\x1b[?25h\x1b[?2026l";

export function createRenderer(): Renderer {
  /** In which row of the block the cursor was left. */
  let cursorRow = 0;

  function toTop(): string {
    const up = cursorRow > 0 ? `\x1b[${cursorRow}A` : "";
    cursorRow = 0;
    return `\r${up}`;
  }

  function drawn({ rows, cursor }: Block, columns: number): string {
    cursorRow = cursor.row;
    const up = Math.max(0, rows.length - 1 - cursor.row);
    // The block's last row is never full: there the erasing would take its last character.
    return `${rows.map((row) => clean(row, columns)).join("\r\n")}\x1b[J${up > 0 ? `\x1b[${up}A` : ""}\x1b[${cursor.column + 1}G`;
  }

  return {
    draw(added, block, columns) {
      const top = toTop();
      const above = added.map((row) => `${clean(row, columns)}\r\n`).join("");
      return BEGIN + top + above + drawn(block, columns) + END;
    },
    repaint(kept, block, columns, lines) {
      const room = Math.max(0, lines - block.rows.length);
      const above = room === 0 ? [] : kept.slice(-room);
      const text = above.map((row) => `${clean(row, columns)}\r\n`).join("");
      return `${BEGIN}\x1b[H${text}${drawn(block, columns)}${END}`;
    },
    erase: () => `${toTop()}\x1b[J`,
  };
}

/** A row over whatever was there. Behind a full one nothing is left, and erasing would take its last character. */
function clean({ text, width }: Row, columns: number): string {
  return width < columns ? `${text}\x1b[K` : text;
}
