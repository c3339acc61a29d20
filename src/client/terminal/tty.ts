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
  /** Stops this process and its group, as Ctrl-Z does elsewhere; returns when it is continued. */
  suspend(): void;
  /** Gives the terminal back as it was. */
  restore(): void;
  /** Resolves once all is written. */
  flush(): Promise<void>;
}

interface TtyEvents {
  /** Somebody asks us to stop, who could not press Ctrl-Z. */
  onStop(): void;
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
    raw = true;
    // While we were stopped, a shell has set the terminal as it likes it, and what is set already is not set again.
    stdin.setRawMode(false);
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

  function suspend(): void {
    restore();
    ignoreStops();
    // We are stopped within this call, unless nobody could continue us: then the signal does nothing.
    process.kill(0, "SIGTSTP");
    heedStops();
    goOn();
  }

  function heedStops(): void {
    process.on("SIGTSTP", events.onStop);
    process.on("SIGCONT", goOn);
  }

  function ignoreStops(): void {
    process.off("SIGTSTP", events.onStop);
    process.off("SIGCONT", goOn);
  }

  process.on("exit", restore);
  heedStops();
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
    suspend,
    restore() {
      ignoreStops();
      restore();
      stdin.pause();
    },
    flush: () => new Promise((done) => void stdout.write("", () => done())),
  };
}
