/** A registry or a client as its user starts it: a process with lines in and lines out. */
import { join } from "node:path";
import { readLines } from "../../src/client/read-lines.ts";
import { afterwards } from "./afterwards.ts";

export const root = join(import.meta.dir, "../..");

export interface Program {
  type(...lines: string[]): void;
  endInput(): void;
  /** Waits for the next line on stdout or stderr that matches, and skips those before it. */
  sees(wanted: string | RegExp): Promise<string>;
  /** Every line so far, in order; those of stderr start with "error: ". */
  lines: string[];
  kill(signal: NodeJS.Signals): void;
  pid: number;
  exited: Promise<number>;
}

/** Starts `bun src/<main>`; it ends with the test. @param within a command that runs the one after it */
export function start(
  main: string,
  args: string[] = [],
  env: Record<string, string> = {},
  within: string[] = [],
): Program {
  const child = Bun.spawn([...within, process.execPath, join(root, main), ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  const lines: string[] = [];
  let seen = 0;
  let changed = Promise.withResolvers<void>();
  const ended = Promise.all([gather(child.stdout), gather(child.stderr)]);

  async function gather(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    for await (const line of readLines(stream)) {
      lines.push(line);
      changed.resolve();
      changed = Promise.withResolvers();
    }
  }

  const program: Program = {
    lines,
    type(...typed) {
      for (const line of typed) child.stdin.write(`${line}\n`);
      child.stdin.flush();
    },
    endInput: () => void child.stdin.end(),
    async sees(wanted) {
      for (;;) {
        for (; seen < lines.length; seen++) {
          const line = lines[seen] ?? "";
          if (typeof wanted === "string" ? line === wanted : wanted.test(line)) {
            seen++;
            return line;
          }
        }
        const over = await Promise.race([changed.promise.then(() => false), ended.then(() => true)]);
        if (over && seen === lines.length) {
          throw new Error(`ended without ${wanted}; it said:\n${lines.join("\n")}`);
        }
      }
    },
    kill: (signal) => child.kill(signal),
    pid: child.pid,
    exited: ended.then(() => child.exited),
  };
  afterwards(() => {
    program.kill("SIGKILL");
    return program.exited;
  });
  return program;
}

/** Waits for one of scripts/checks to end, and returns the faults it named. */
export async function faultsOf(check: Program): Promise<string[]> {
  await check.exited;
  return check.lines.filter((line) => line.startsWith("FAULT: "));
}

/** A registry on a free port. */
export async function startRegistry(...args: string[]): Promise<Program & { url: string }> {
  const port = args.includes("--port") ? [] : ["--port", "0"];
  const store = args.includes("--store") ? [] : ["--store", "memory:"];
  const program = start("src/registry/main.ts", [...port, ...store, ...args]);
  const line = await program.sees(/^registry at/);
  return { ...program, url: /http:\S+(?=,)/.exec(line)?.[0] ?? "" };
}

/** A client on a free port, once it has joined and listed the users. */
export async function startClient(
  name: string,
  registry: { url: string },
  ...args: string[]
): Promise<Program> {
  const program = start("src/client/main.ts", [
    "--name",
    name,
    "--registry",
    registry.url,
    "--port",
    "0",
    ...args,
  ]);
  await program.sees(/\(you\)$/);
  return program;
}

/** The registry's list. */
export async function listed(registry: { url: string }): Promise<Record<string, unknown>> {
  const list: unknown = await (await fetch(`${registry.url}/v1/users/`)).json();
  return Object.fromEntries(Object.entries(list ?? {}));
}
