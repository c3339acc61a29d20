/** The terminal itself: its modes, its size, and what is left of us when we are gone. */
import { writeSync } from "node:fs";

/** Bracketed paste and focus reports (xterm's ctlseqs). */
const MODES_ON = "\x1b[?2004h\x1b[?1004h";

/** Whatever we may have been in the middle of. */
const MODES_OFF = "\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?2026l";

/** Terminals that do not know their size have this. */
const FALLBACK = { columns: 80, lines: 24 };

export interface Tty {
  size(): { columns: number; lines: number };
  write(text: string): void;
  /** Whether what was written waits to be taken; then `onReady` is called. */
  busy(): boolean;
  /** Stops this process and its group, as Ctrl-Z does elsewhere, until it is continued. */
  suspend(): void;
  /** Gives the terminal back as it was. */
  restore(): void;
  /** Resolves once all is written. */
  flush(): Promise<void>;
}

interface TtyEvents {
  onBytes(bytes: Uint8Array): void;
  onResize(): void;
  /** What was written has been taken. */
  onReady(): void;
  /** We were stopped, and go on: the screen may show anything. */
  onContinued(): void;
  /** The terminal is gone, or its input ended. */
  onEnd(): void;
}

export function openTty(events: TtyEvents): Tty {
  const { stdin, stdout } = process;
  let raw = false;
  let busy = false;

  function take(): void {
    if (raw) return;
    raw = true;
    stdin.setRawMode(true);
    stdout.write(MODES_ON);
  }

  /** Written at once, because this may be the last thing that happens. */
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

  function goOn(): void {
    take();
    events.onContinued();
  }

  process.on("exit", restore);
  process.on("SIGCONT", goOn);
  stdin.on("data", events.onBytes);
  stdin.on("end", events.onEnd);
  stdin.on("error", events.onEnd);
  stdout.on("error", events.onEnd);
  stdout.on("resize", events.onResize);
  stdout.on("drain", () => {
    busy = false;
    events.onReady();
  });
  take();

  return {
    size: () => ({
      columns: Math.max(8, stdout.columns || FALLBACK.columns),
      lines: Math.max(2, stdout.rows || FALLBACK.lines),
    }),
    write(text) {
      busy = !stdout.write(text);
    },
    busy: () => busy,
    suspend() {
      restore();
      process.kill(0, "SIGTSTP");
      // Runs when we are continued, or at once where nobody could continue us and the signal does nothing.
      setTimeout(goOn, 0);
    },
    restore() {
      process.off("SIGCONT", goOn);
      restore();
      stdin.pause();
    },
    flush: () => new Promise((done) => void stdout.write("", () => done())),
  };
}
