/** A client as a person uses it: in a terminal, with keys in and a screen out. */
import { describe } from "bun:test";
import { join } from "node:path";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { Terminal } from "@xterm/headless";
import { createCondition } from "../../src/client/condition.ts";
import { atMost } from "../../src/core/clock.ts";
import { afterwards } from "./afterwards.ts";
import { root } from "./program.ts";
import { temporaryFolder } from "./registry.ts";

/** Gives a process a controlling terminal (util-linux); without one, it hears of no resize and no hangup. */
export const setsid = Bun.which("setsid");
if (!setsid) process.stderr.write("skipped: tests in a terminal, because there is no setsid here\n");

/** Describes tests that need a terminal. */
export const inTerminal = describe.skipIf(!setsid);

/** Marks the cursor on a drawn screen. */
const CURSOR = "▏";

/** How long to wait for an expected screen, in milliseconds. */
const PATIENCE_MS = 15_000;

export interface TestScreen {
  /** Presses keys, as the bytes that a terminal sends for them. */
  type(keys: string): void;
  /** Waits until the screen ends with these rows: `12:34` is any time of day, `▏` is the cursor. */
  shows(drawn: string): Promise<void>;
  /** Waits until the screen contains a text. */
  contains(part: string): Promise<void>;
  /** Waits until the rows satisfy a condition. @param wanted describes it, for the error */
  until(holds: (rows: string[]) => boolean, wanted: string): Promise<void>;
  /** All rows that are not blank, in the form that `shows` takes. */
  rows(): string[];
  /** The same, including rows that have scrolled off the top. */
  everything(): string[];
  /** Waits until a text has been written to the terminal. */
  writes(part: string): Promise<void>;
  /** Every byte that reached the terminal. */
  written(): string;
  resize(columns: number, rows: number): void;
  /** Whether the terminal is in the mode in which it was found. */
  isRestored(): boolean;
  /** Closes the window. */
  hangUp(): void;
  kill(signal: NodeJS.Signals): void;
  exited: Promise<number>;
  pid: number;
}

export interface ScreenOptions {
  columns?: number;
  rows?: number;
  env?: Record<string, string | undefined>;
}

/** Starts a client on a free port in a terminal; it ends with the test. */
export async function openClient(
  name: string,
  registry: { url: string },
  args: string[] = [],
  options: ScreenOptions = {},
): Promise<TestScreen> {
  const main = join(root, "src/client/main.ts");
  const screen = openScreen(
    [process.execPath, main, "--name", name, "--registry", registry.url, "--port", "0", ...args],
    options,
  );
  await screen.contains("(you)");
  return screen;
}

/** Runs a command in a terminal of its own; it ends with the test. */
export function openScreen(
  command: string[],
  { columns = 80, rows = 24, env = {} }: ScreenOptions = {},
): TestScreen {
  const screen = new Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 5000 });
  screen.loadAddon(new UnicodeGraphemesAddon());
  const decoder = new TextDecoder();
  const drawnAnew = createCondition();
  let written = "";
  const pty = new Bun.Terminal({
    cols: columns,
    rows,
    data(_, bytes) {
      written += decoder.decode(bytes, { stream: true });
      screen.write(bytes, drawnAnew.notify);
    },
  });
  const cooked = pty.localFlags;
  const child = Bun.spawn([setsid ?? "setsid", "-c", ...command], {
    terminal: pty,
    env: {
      ...process.env,
      TERM: "xterm-256color",
      LANG: "C.UTF-8",
      LC_ALL: undefined,
      NO_COLOR: undefined,
      XDG_STATE_HOME: temporaryFolder(),
      ...env,
    },
  });

  function drawn(from = screen.buffer.active.baseY): string[] {
    const { active } = screen.buffer;
    const cursorY = active.baseY + active.cursorY;
    const lines = Array.from({ length: active.baseY + screen.rows - from }, (_, i) => {
      const line = active.getLine(from + i);
      if (from + i !== cursorY) return line?.translateToString(true) ?? "";
      const before = line?.translateToString(false, 0, active.cursorX) ?? "";
      return before + CURSOR + (line?.translateToString(true, active.cursorX) ?? "");
    });
    return lines
      .map((line) => line.trimEnd().replace(/^\d\d:\d\d(?= )/, "12:34"))
      .filter((line) => line !== "");
  }

  async function until(holds: () => boolean, wanted: string): Promise<void> {
    const seen = drawnAnew.until(holds).then(() => true);
    if (await atMost(PATIENCE_MS, seen)) return;
    throw new Error(`wanted:\n${wanted}\n\non the screen:\n${drawn().join("\n")}`);
  }

  const self: TestScreen = {
    type: (keys) => void pty.write(keys),
    shows(wanted) {
      const lines = wanted.split("\n").map((line) => line.trimEnd());
      return until(() => drawn().slice(-lines.length).join("\n") === lines.join("\n"), wanted);
    },
    until: (holds, wanted) => until(() => holds(drawn()), wanted),
    contains: (part) => until(() => drawn().join("\n").includes(part), part),
    rows: () => drawn(),
    everything: () => drawn(0),
    writes: (part) => until(() => written.includes(part), JSON.stringify(part)),
    written: () => written,
    resize(columns, rows) {
      screen.resize(columns, rows);
      pty.resize(columns, rows);
    },
    isRestored: () => pty.localFlags === cooked,
    hangUp: () => pty.close(),
    kill: (signal) => child.kill(signal),
    exited: child.exited,
    pid: child.pid,
  };
  afterwards(() => {
    self.kill("SIGKILL");
    return self.exited;
  });
  return self;
}
