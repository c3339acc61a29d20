/** Runs a program in a terminal, and draws its screen as SVG. */
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { type IBufferCell, Terminal } from "@xterm/headless";

/** The size of a character, in pixels. */
const [WIDTH, HEIGHT] = [7.5, 17];
const PADDING = 14;
const TITLE_BAR = 30;

/** How long something may take to appear, in milliseconds. */
const PATIENCE_MS = 15_000;

/** The sixteen colours of GitHub's light and dark themes. */
const PALETTE: [light: string, dark: string][] = [
  ["#24292f", "#484f58"],
  ["#cf222e", "#ff7b72"],
  ["#116329", "#3fb950"],
  ["#7d4e00", "#d29922"],
  ["#0969da", "#58a6ff"],
  ["#8250df", "#bc8cff"],
  ["#1b7c83", "#39c5cf"],
  ["#6e7781", "#b1bac4"],
  ["#57606a", "#6e7681"],
  ["#a40e26", "#ffa198"],
  ["#1a7f37", "#56d364"],
  ["#633c01", "#e3b341"],
  ["#218bff", "#79c0ff"],
  ["#a475f9", "#d2a8ff"],
  ["#3192aa", "#56d4dd"],
  ["#8c959f", "#ffffff"],
];

export interface Screen {
  type(keys: string): void;
  /** Waits until the screen contains a text. @throws Error with the screen, if it never does */
  shows(part: string): Promise<void>;
  /** The window as SVG, with its top left corner at a point. */
  draw(x: number, y: number, title: string): string;
  close(): Promise<void>;
}

/** The size of a window, in pixels. */
export function sizeOf(columns: number, rows: number): { width: number; height: number } {
  return { width: columns * WIDTH + 2 * PADDING, height: rows * HEIGHT + TITLE_BAR + 1.5 * PADDING };
}

/** Runs a command in its own terminal. */
export function openTerminal(
  command: string[],
  columns: number,
  rows: number,
  env: Record<string, string> = {},
): Screen {
  const screen = new Terminal({ cols: columns, rows, allowProposedApi: true });
  screen.loadAddon(new UnicodeGraphemesAddon());
  let drawn = Promise.withResolvers<void>();
  const pty = new Bun.Terminal({
    cols: columns,
    rows,
    data(_, bytes) {
      screen.write(bytes, () => {
        drawn.resolve();
        drawn = Promise.withResolvers();
      });
    },
  });
  const child = Bun.spawn(command, {
    terminal: pty,
    env: { ...process.env, TERM: "xterm-256color", LANG: "C.UTF-8", NO_COLOR: undefined, ...env },
  });

  const row = (y: number) => screen.buffer.active.getLine(screen.buffer.active.baseY + y);
  const text = () => Array.from({ length: rows }, (_, y) => row(y)?.translateToString(true) ?? "").join("\n");

  return {
    type: (keys) => void pty.write(keys),
    async shows(part) {
      const late = Bun.sleep(PATIENCE_MS).then(() => {
        throw new Error(`never saw ${part}; the screen:\n${text()}`);
      });
      while (!text().includes(part)) await Promise.race([drawn.promise, late]);
    },
    draw(x, y, title) {
      const { width, height } = sizeOf(columns, rows);
      const dots = [0, 1, 2].map((i) => `<circle class="dot" cx="${18 + i * 16}" cy="15" r="5"/>`);
      const parts = [
        `<rect class="window" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
        ...dots,
        `<text class="title" x="${width / 2}" y="19">${xml(title)}</text>`,
        ...Array.from({ length: rows }, (_, y) => drawRow(y)),
        drawCursor(),
      ];
      return `<g transform="translate(${x} ${y})">\n${parts.filter(Boolean).join("\n")}\n</g>`;
    },
    async close() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };

  /** A row, as runs of equal style. */
  function drawRow(y: number): string {
    const line = row(y);
    const runs: { style: string; text: string; from: number; columns: number }[] = [];
    for (let x = 0; x < columns; x++) {
      const cell = line?.getCell(x);
      if (!cell || cell.getWidth() === 0) continue;
      const style = styleOf(cell);
      const last = runs.at(-1);
      if (last?.style === style) {
        last.text += cell.getChars() || " ";
        last.columns += cell.getWidth();
      } else runs.push({ style, text: cell.getChars() || " ", from: x, columns: cell.getWidth() });
    }
    return runs
      .map((run) => {
        const text = run.text.trimEnd();
        if (text === "") return "";
        const x = PADDING + run.from * WIDTH;
        const columns = run.columns - (run.text.length - text.length);
        const where = `x="${x}" y="${TITLE_BAR + (y + 0.8) * HEIGHT}" textLength="${columns * WIDTH}"`;
        return `<text class="${run.style}" ${where}>${xml(text)}</text>`;
      })
      .join("");
  }

  function drawCursor(): string {
    const { cursorX, cursorY } = screen.buffer.active;
    const [x, y] = [PADDING + cursorX * WIDTH, TITLE_BAR + cursorY * HEIGHT + 2];
    return `<rect class="cursor" x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT - 2}"/>`;
  }
}

function styleOf(cell: IBufferCell): string {
  const classes = [cell.isFgPalette() ? `c${cell.getFgColor()}` : "fg"];
  if (cell.isBold()) classes.push("bold");
  if (cell.isDim()) classes.push("dim");
  return classes.join(" ");
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(" ", "\u00a0");
}

/** A picture of windows, for light and dark schemes. @param about its text alternative */
export function picture(width: number, height: number, about: string, windows: string[]): string {
  const colours = (theme: 0 | 1) => PALETTE.map((colour, i) => `.c${i}{fill:${colour[theme]}}`).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="12.5">
<title>${xml(about).replaceAll("\u00a0", " ")}</title>
<style>
.fg{fill:#24292f}.bold{font-weight:600}.dim{opacity:.65}.window{fill:#f6f8fa;stroke:#d0d7de}.dot{fill:#d0d7de}.cursor{fill:#24292f;opacity:.6}
.title{fill:#57606a;text-anchor:middle;font-family:system-ui,sans-serif;font-size:12px}${colours(0)}
@media (prefers-color-scheme:dark){.fg{fill:#e6edf3}.window{fill:#0d1117;stroke:#30363d}.dot{fill:#30363d}.cursor{fill:#e6edf3}.title{fill:#8b949e}${colours(1)}}
</style>
${windows.join("\n")}
</svg>
`;
}
