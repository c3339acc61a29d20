/** Most characters that wait for whoever reads our output, before others are asked to wait. */
const MAX_WAITING = 1024 * 1024;

export interface OutputStream {
  write(text: string): void;
  /** Whether so much waits to be read that no more should come. */
  full(): boolean;
  /** Resolves when nobody reads it any more. */
  hungUp: Promise<void>;
  /** Resolves once all is handed over. */
  end(): Promise<void>;
}

/** Counts what is written and not yet taken: a pipe that nobody reads is no reason to fill the memory. */
export function countedOutput(stream: NodeJS.WriteStream): OutputStream {
  const hungUp = Promise.withResolvers<void>();
  stream.on("error", () => hungUp.resolve());
  let waiting = 0;
  return {
    write(text) {
      waiting += text.length;
      stream.write(text, () => {
        waiting -= text.length;
      });
    },
    full: () => waiting > MAX_WAITING,
    hungUp: hungUp.promise,
    // An empty write would be done at once, whatever waits before it.
    end: () => new Promise((done) => void stream.end(() => done())),
  };
}
