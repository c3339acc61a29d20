/** Lines in and lines out: what all modes share in which nobody presses keys. */
import { createCondition } from "../../core/bounded-queue.ts";
import { errorCode, TalkError } from "../../core/errors.ts";
import { CUT_SENTENCE, mayBeCut, readLines } from "../read-lines.ts";
import type { TypedLine } from "../session/model.ts";
import type { Screen } from "./types.ts";

/** Most characters that wait for whoever reads our output, before others are asked to wait. */
const MAX_WAITING = 1024 * 1024;

/** A screen that reads standard input, and is left at its end. */
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
 * The lines of standard input, without those that a terminal may have cut, which are refused.
 * @throws TalkError if standard input cannot be read, because it is a folder
 */
async function* stdinLines(show: Screen["show"]): AsyncGenerator<TypedLine> {
  try {
    for await (const line of readLines(Bun.stdin.stream())) {
      if (process.stdin.isTTY && mayBeCut(line)) show({ type: "failure", sentence: CUT_SENTENCE });
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
  /** Whether stdout is so far behind that no more messages should be taken. */
  full(): boolean;
  /** Resolves once neither stream is far behind. */
  room(): Promise<void>;
  /** Resolves when nobody reads stdout any more. */
  hungUp: Promise<void>;
  /** Resolves once everything is handed over. */
  end(): Promise<void>;
}

/** Standard output and error; where both lead to one file, they keep their order. */
export function openStandardOutput(): StandardOutput {
  const stdout = openStream(process.stdout);
  const stderr = openStream(process.stderr);
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

/** Counts what is written and not yet taken, so that a pipe nobody reads cannot fill our memory. */
function openStream(stream: NodeJS.WriteStream) {
  const hungUp = Promise.withResolvers<void>();
  stream.on("error", () => hungUp.resolve());
  const taken = createCondition();
  let gathered = "";
  let waiting = 0;

  const full = () => waiting > MAX_WAITING;

  function flush(): void {
    const text = gathered;
    if (text === "") return;
    gathered = "";
    stream.write(text, () => {
      waiting -= text.length;
      taken.notify();
    });
  }

  return {
    /** Gathers what one turn of the event loop brings: a system call for each line would cost more than all the rest. */
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
      // Not an empty write, which is done at once, whatever waits before it.
      return new Promise((done) => void stream.end(() => done()));
    },
  };
}
