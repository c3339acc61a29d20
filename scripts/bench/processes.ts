/** Runs the measured programs as child processes. */
import { join } from "node:path";

/** How long a program may take to report that it is ready, in milliseconds. */
const READY_MS = 20_000;

export const root = join(import.meta.dir, "../..");

export interface Started {
  pid: number;
  /** The first capture group of `ready` in its output. */
  ready: string;
  /** The number of lines on its stdout so far. */
  lines(): number;
  /** Writes a line to its stdin. @returns its next output */
  ask(line: string): Promise<string>;
  stop(): Promise<void>;
}

const running = new Set<Bun.Subprocess>();
process.on("exit", endAll);

/** Kills all programs still running. */
export function endAll(): void {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
}

/** Starts a program; its output is counted and discarded. @param ready matches what it prints once it can be measured */
export async function start(command: string[], ready: RegExp): Promise<Started> {
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "pipe", env: environment() });
  running.add(child);
  let beginning = "";
  let complaint = "";
  let lines = 0;
  let answered = (_: string) => {};
  const { promise, resolve } = Promise.withResolvers<string>();

  async function readOutput() {
    const decoder = new TextDecoder();
    let isReady = false;
    for await (const chunk of child.stdout) {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
      if (isReady) {
        answered(decoder.decode(chunk));
        continue;
      }
      beginning += decoder.decode(chunk);
      const match = ready.exec(beginning);
      if (!match) continue;
      isReady = true;
      resolve(match[1] ?? match[0]);
    }
  }

  async function readComplaints() {
    // A log may be long; only its end matters.
    for await (const chunk of child.stderr) complaint = (complaint + Buffer.from(chunk)).slice(-2000);
  }

  void readOutput();
  const complaining = readComplaints();
  const died = child.exited.then(async (code): Promise<never> => {
    await complaining;
    throw new Error(`${command.join(" ")} ended with ${code}: ${complaint || beginning}`);
  });
  died.catch(() => {});
  const late = Bun.sleep(READY_MS).then((): never => {
    throw new Error(
      `${command.join(" ")} is not ready after ${READY_MS / 1000} s: ${complaint || beginning}`,
    );
  });
  late.catch(() => {});

  return {
    pid: child.pid,
    ready: await Promise.race([promise, died, late]),
    lines: () => lines,
    ask(line) {
      const answer = new Promise<string>((resolve) => {
        answered = resolve;
      });
      child.stdin.write(`${line}\n`);
      child.stdin.flush();
      return Promise.race([answer, died]);
    },
    async stop() {
      child.kill("SIGKILL");
      await child.exited;
      running.delete(child);
    },
  };
}

/** A command pinned to one CPU core (util-linux' taskset). */
export function onCore(core: number, command: string[]): string[] {
  return ["taskset", "--cpu-list", String(core), ...command];
}

/** Runs a program. @returns its output @throws Error if it fails */
export async function run(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", env: environment() });
  running.add(child);
  const [output, complaint, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  running.delete(child);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${complaint || output}`);
  return output;
}

function environment(): Record<string, string | undefined> {
  return { ...process.env, NO_COLOR: "1", NO_PROXY: "*" };
}
