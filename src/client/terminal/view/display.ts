/** Keeps the terminal up to date: entries scroll by, and the status area stays below them. */
import type { Clock } from "../../../core/clock.ts";
import { openTty, type TtySize } from "../tty.ts";
import { type Block, createRenderer } from "./renderer.ts";
import type { Scrollback } from "./scrollback.ts";

/** Changes within this time, in milliseconds, are drawn together; nobody sees anything faster. */
const FRAME_MS = 15;

/** How long the size must be stable before a repaint, in milliseconds: dragging a window resizes it again and again. */
const RESIZE_MS = 60;

const NO_ROWS: Block = { rows: [], cursor: { row: 0, column: 0 } };

export interface Display {
  columns(): number;
  draw(): void;
  /** Draws with the next frame. */
  drawSoon(): void;
  /** Redraws the whole screen once its size is stable. */
  repaintSoon(): void;
  /** Stops the process, as Ctrl-Z does in other programs, and draws again once it continues. */
  suspend(): void;
  /** Removes the status area and restores the terminal; draws nothing after that. */
  release(): void;
  /** Resolves once everything is written. */
  flush(): Promise<void>;
}

interface DisplayOptions {
  clock: Clock;
  scrollback: Scrollback;
  statusArea(size: TtySize): Block;
  /** Whether entries may be shown now; if not, a later frame shows them. */
  mayShow(): boolean;
  /** Returns BEL if a ring is due, else an empty string. */
  ring(): string;
  onBytes(bytes: Uint8Array): void;
  /** The terminal is gone, or its input ended. */
  onEnd(): void;
}

export function openDisplay({
  clock,
  scrollback,
  statusArea,
  mayShow,
  ring,
  onBytes,
  onEnd,
}: DisplayOptions): Display {
  let renderer = createRenderer();
  let cancelDraw: (() => void) | undefined;
  let cancelRepaint: (() => void) | undefined;
  /** Until the first repaint, the screen still shows what was there before us. */
  let screenIsOurs = false;
  let closed = false;

  const tty = openTty({
    onBytes,
    onResize: repaintSoon,
    onReady: draw,
    onStop: suspend,
    onContinued() {
      renderer = createRenderer();
      draw();
    },
    onEnd,
  });

  function draw(): void {
    cancelDraw?.();
    cancelDraw = undefined;
    // While the terminal lags, or a repaint is due, wait and draw everything at once.
    if (closed || cancelRepaint || tty.busy()) return;
    const size = tty.size();
    const rows = mayShow() ? scrollback.drain(size.columns) : [];
    tty.write(renderer.draw(rows, statusArea(size), size.columns) + ring());
    if (scrollback.hasMore()) drawSoon();
  }

  function repaint(): void {
    cancelRepaint = undefined;
    if (closed) return;
    if (!mayShow()) {
      repaintSoon();
      return;
    }
    const size = tty.size();
    const { columns, lines } = size;
    scrollback.drain(columns);
    // Push the previous screen contents into the terminal's own scrollback.
    const away = screenIsOurs ? "" : `${renderer.erase()}\x1b[${lines};1H${"\n".repeat(lines)}`;
    screenIsOurs = true;
    const rows = scrollback.last(columns, lines);
    tty.write(away + renderer.repaint(rows, statusArea(size), columns, lines) + ring());
  }

  function drawSoon(): void {
    cancelDraw ??= clock.after(FRAME_MS, draw);
  }

  function repaintSoon(): void {
    cancelRepaint?.();
    cancelRepaint = clock.after(RESIZE_MS, repaint);
  }

  function suspend(): void {
    tty.write(renderer.erase());
    tty.suspend();
  }

  return {
    columns: () => tty.size().columns,
    draw,
    drawSoon,
    repaintSoon,
    suspend,
    release() {
      if (closed) return;
      closed = true;
      mayShow();
      const { columns } = tty.size();
      tty.write(renderer.draw(scrollback.drain(columns), NO_ROWS, columns));
      tty.restore();
    },
    flush: tty.flush,
  };
}
