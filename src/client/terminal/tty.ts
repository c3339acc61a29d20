/** The terminal device: its modes and size, and restoring it. */
import { writeSync } from "node:fs";

/** Bracketed paste and focus reports (xterm's ctlseqs). */
const MODES_ON = "\x1b[?2004h\x1b[?1004h";

/** Undoes those, and anything a half-written frame left on. */
const MODES_OFF = "\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?2026l";

/** Assumed if the terminal does not report its size. */
const FALLBACK = { columns: 80, lines: 24 };

export interface TtySize {
  columns: number;
  lines: number;
}

export interface Tty {
  size(): TtySize;
  write(text: string): void;
  /** Whether the terminal lags behind; `onReady` fires once it has caught up. */
  busy(): boolean;
  /** Stops this process and its group, as Ctrl-Z does in other programs; returns once they continue. */
  suspend(): void;
  /** Restores the terminal. */
  restore(): void;
  /** Resolves once everything is written. */
  flush(): Promise<void>;
}

interface TtyEvents {
  onBytes(bytes: Uint8Array): void;
  onResize(): void;
  /** All output has been flushed. */
  onReady(): void;
  /** Another process sent SIGTSTP. */
  onStop(): void;
  /** We continue after a stop; the screen may show anything. */
  onContinued(): void;
  /** The terminal is gone, or its input ended. */
  onEnd(): void;
}

export function openTty(events: TtyEvents): Tty {
  const { stdin, stdout } = process;
  let raw = false;
  let busy = false;

  function enterRawMode(): void {
    raw = true;
    // A shell may have reset the terminal while we were stopped, but Bun skips a mode it believes is already set.
    stdin.setRawMode(false);
    stdin.setRawMode(true);
    stdout.write(MODES_ON);
  }

  /** Writes synchronously, because the process may be about to exit. */
  function restore(): void {
    if (!raw) return;
    raw = false;
    try {
      writeSync(stdout.fd, MODES_OFF);
      stdin.setRawMode(false);
    } catch {
      // The terminal is gone.
    }
  }

  function resume(): void {
    enterRawMode();
    events.onContinued();
  }

  function suspend(): void {
    restore();
    ignoreStops();
    // Stops us here; in an orphaned process group, which nobody could continue, it does nothing.
    process.kill(0, "SIGTSTP");
    handleStops();
    resume();
  }

  function handleStops(): void {
    process.on("SIGTSTP", events.onStop);
    process.on("SIGCONT", resume);
  }

  function ignoreStops(): void {
    process.off("SIGTSTP", events.onStop);
    process.off("SIGCONT", resume);
  }

  process.on("exit", restore);
  handleStops();
  stdin.on("data", events.onBytes);
  stdin.on("end", events.onEnd);
  stdin.on("error", events.onEnd);
  stdout.on("error", events.onEnd);
  stdout.on("resize", events.onResize);
  stdout.on("drain", () => {
    busy = false;
    events.onReady();
  });
  enterRawMode();

  return {
    size: () => ({
      columns: Math.max(8, stdout.columns || FALLBACK.columns),
      lines: Math.max(2, stdout.rows || FALLBACK.lines),
    }),
    write(text) {
      busy = !stdout.write(text);
    },
    busy: () => busy,
    suspend,
    restore() {
      ignoreStops();
      restore();
      stdin.pause();
    },
    flush: () => new Promise((done) => void stdout.write("", () => done())),
  };
}
