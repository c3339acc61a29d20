/** A registry or client being fuzzed, in its own process; anything it writes to stderr is a fault. */
import { join } from "node:path";
import { readLines } from "../../src/client/read-lines.ts";

export interface Target {
  name: string;
  url: URL;
  /** The last lines of its stdout, at most 100. */
  said: string[];
  /** Its faults so far: it exited, or wrote to stderr. */
  faults(): string[];
  /** The least resident memory within `watchMs` milliseconds, in MB, because garbage collection is not immediate. */
  megabytes(watchMs: number): Promise<number>;
  stop(): Promise<void>;
}

/** How often to read memory, in milliseconds. */
const LOOK_MS = 250;

/** Starts `bun <main> …` and waits for the line with its URL. */
export async function startTarget(name: string, main: string, args: string[]): Promise<Target> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../..", main), ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, NO_COLOR: "1" },
  });
  process.on("exit", () => child.kill());
  const complaints: string[] = [];
  const said: string[] = [];
  void gather(child.stderr, complaints);
  const { promise, resolve, reject } = Promise.withResolvers<URL>();
  void gather(child.stdout, said, (line) => {
    const url = /(?:http|ws|udp):\/\/[\w.:]+/.exec(line)?.[0];
    if (url !== undefined) resolve(new URL(url));
  }).then(() => reject(new Error(`${name} did not start: ${complaints.join(" ")}`)));
  const url = await promise;
  let stopping = false;

  return {
    name,
    url,
    said,
    faults() {
      const ended = child.exitCode === null && child.signalCode === null ? [] : [`${name} ended`];
      return [...(stopping ? [] : ended), ...complaints.slice(0, 5).map((line) => `${name} says ${line}`)];
    },
    async megabytes(watchMs) {
      const end = performance.now() + watchMs;
      let least = Number.POSITIVE_INFINITY;
      do {
        const status = await Bun.file(`/proc/${child.pid}/status`).text();
        least = Math.min(least, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
        await Bun.sleep(LOOK_MS);
      } while (performance.now() < end);
      return least;
    },
    async stop() {
      stopping = true;
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

async function gather(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  lines: string[],
  see: (line: string) => void = () => {},
): Promise<void> {
  for await (const line of readLines(stream)) {
    lines.push(line);
    if (lines.length > 100) lines.shift();
    see(line);
  }
}
