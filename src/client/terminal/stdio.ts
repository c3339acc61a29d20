/** Line-based input and output, shared by every mode without a line editor. */
import { errorCode, TalkError } from "../../core/errors.ts";
import { createCondition } from "../condition.ts";
import { CUT_SENTENCE, mayBeCut, readLines } from "../read-lines.ts";
import type { TypedLine } from "../session/model.ts";
import { isTerminal } from "./is-terminal.ts";
import type { Screen } from "./types.ts";

/** Most characters of unread output before senders are asked to wait. */
const MAX_WAITING = 1024 * 1024;

/** A screen that reads standard input and leaves at its end. */
export function createLineScreen(output: StandardOutput, show: Screen["show"]): Screen {
  return {
    lines: () => stdinLines(show),
    show,
    follow() {},
    left: new Promise<void>(() => {}),
    full: output.full,
    room: output.room,
    hungUp: output.hungUp,
    release() {},
    close: output.end,
  };
}

/**
 * The lines of standard input; refuses those that a terminal may have truncated.
 * @throws TalkError if standard input cannot be read, such as a directory
 */
async function* stdinLines(show: Screen["show"]): AsyncGenerator<TypedLine> {
  try {
    for await (const line of readLines(Bun.stdin.stream())) {
      if (mayBeCut(line) && (await isTerminal("stdin"))) show({ type: "failure", sentence: CUT_SENTENCE });
      else yield { type: "line", text: line };
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    throw new TalkError("unreadable", `standard input cannot be read (${code})`);
  }
}

export interface StandardOutput {
  write(text: string, stream?: "stdout" | "stderr"): void;
  /** Whether so much output is unread that senders should wait. */
  full(): boolean;
  /** Resolves once both streams have room again. */
  room(): Promise<void>;
  /** Resolves once stdout's reader has gone. */
  hungUp: Promise<void>;
  /** Resolves once everything is written. */
  end(): Promise<void>;
}

/** Standard output and error, in order even if both go to one file; only in a full pipe may one overtake the other. */
export function openStandardOutput(): StandardOutput {
  const stdout = openStream(Bun.stdout);
  const stderr = openStream(Bun.stderr);
  return {
    write(text, stream = "stdout") {
      const [to, other] = stream === "stdout" ? [stdout, stderr] : [stderr, stdout];
      other.flush();
      to.write(text);
    },
    full: stdout.full,
    async room() {
      await stdout.room();
      await stderr.room();
    },
    hungUp: stdout.hungUp,
    async end() {
      await Promise.all([stdout.end(), stderr.end()]);
    },
  };
}

/** Counts unread output, so that a pipe nobody reads cannot exhaust memory. */
function openStream(file: Bun.BunFile) {
  const sink = file.writer();
  const hungUp = Promise.withResolvers<void>();
  const taken = createCondition();
  /** The output of this turn of the event loop. */
  let gathered = "";
  /** The output of earlier turns, not yet written. */
  const turns: string[] = [];
  let waiting = 0;
  let isWriting = false;

  const full = () => waiting > MAX_WAITING;

  function flush(): void {
    if (gathered !== "") turns.push(gathered);
    gathered = "";
    if (!isWriting) void writeTurns();
  }

  /** Writes synchronously, because the other stream may go to the same file; waits only while a pipe is full. */
  async function writeTurns(): Promise<void> {
    isWriting = true;
    for (let text = turns.shift(); text !== undefined; text = turns.shift()) {
      try {
        const written = sink.write(text);
        const unread = written instanceof Promise ? written : sink.flush();
        if (unread instanceof Promise) await unread;
      } catch {
        hungUp.resolve();
      }
      waiting -= text.length;
      taken.notify();
    }
    isWriting = false;
  }

  return {
    /** Batches the lines of one event-loop turn: one system call per line would cost more than everything else. */
    write(text: string): void {
      if (gathered === "") setImmediate(flush);
      gathered += text;
      waiting += text.length;
    },
    flush,
    full,
    room: () => taken.until(() => !full()),
    hungUp: hungUp.promise,
    end(): Promise<void> {
      flush();
      return taken.until(() => waiting === 0);
    },
  };
}
