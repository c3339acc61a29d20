import { createCondition } from "../../../core/bounded-queue.ts";

/** Most characters that wait for whoever reads our output, before others are asked to wait. */
const MAX_WAITING = 1024 * 1024;

export interface OutputStream {
  /** Writes with all else that this turn of the event loop brings: a system call for each would cost more than the rest. */
  write(text: string): void;
  /** Writes at once what waits for that. */
  flush(): void;
  /** Whether so much waits to be read that no more should come. */
  full(): boolean;
  /** Resolves once it is not. */
  room(): Promise<void>;
  /** Resolves when nobody reads it any more. */
  hungUp: Promise<void>;
  /** Resolves once all is handed over. */
  end(): Promise<void>;
}

/** Counts what is written and not yet taken: a pipe that nobody reads is no reason to fill the memory. */
export function openOutput(stream: NodeJS.WriteStream): OutputStream {
  const hungUp = Promise.withResolvers<void>();
  stream.on("error", () => hungUp.resolve());
  const taken = createCondition();
  let gathered = "";
  let waiting = 0;

  const full = () => waiting > MAX_WAITING;

  function flush() {
    const text = gathered;
    if (text === "") return;
    gathered = "";
    stream.write(text, () => {
      waiting -= text.length;
      taken.notify();
    });
  }

  return {
    write(text) {
      if (gathered === "") setImmediate(flush);
      gathered += text;
      waiting += text.length;
    },
    flush,
    full,
    room: () => taken.until(() => !full()),
    hungUp: hungUp.promise,
    end() {
      flush();
      // An empty write would be done at once, whatever waits before it.
      return new Promise((done) => void stream.end(() => done()));
    },
  };
}
