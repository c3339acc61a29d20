/** A client in its own terminal, whose screen is searched for numbers. */
import { join } from "node:path";

const main = join(import.meta.dir, "../../../src/client/main.ts");

export interface TerminalClient {
  /** Resolves once it shows the list. */
  joined: Promise<void>;
  type(line: string): void;
  /** The numbers shown so far, in order. */
  shown(): string[];
  kill(): Promise<void>;
}

/** @param port kept across crashes, so that nobody else answers there meanwhile @param state the folder for its files */
export function startTerminal(registry: string, name: string, port: number, state: string): TerminalClient {
  const decoder = new TextDecoder();
  const joined = Promise.withResolvers<void>();
  let written = "";
  let lookedUntil = 0;
  const found: string[] = [];

  /** Searches whole lines only, so that no escape sequence is cut. */
  function look(): void {
    const end = written.lastIndexOf("\n") + 1;
    const text = Bun.stripANSI(written.slice(lookedUntil, end));
    lookedUntil = end;
    for (const [, number = ""] of text.matchAll(/carol\??: (\d{8})/g)) found.push(number);
  }

  const terminal = new Bun.Terminal({
    cols: 80,
    rows: 24,
    data(_, bytes) {
      written += decoder.decode(bytes, { stream: true });
      if (written.includes("(you)")) joined.resolve();
    },
  });
  const child = Bun.spawn(
    [
      ...[process.execPath, main, "--name", name, "--registry", registry],
      ...["--port", String(port), "--rate-limit", "0"],
    ],
    {
      terminal,
      env: { ...process.env, NO_COLOR: "1", TERM: "xterm", LC_ALL: "C.UTF-8", XDG_STATE_HOME: state },
    },
  );
  void child.exited.then(() => joined.reject(new Error(`${name} ended: ${written}`)));
  joined.promise.catch(() => {});

  return {
    joined: joined.promise,
    type(line) {
      if (child.exitCode === null) terminal.write(`${line}\r`);
    },
    shown() {
      look();
      return [...found];
    },
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
      // Its output is read before its exit is reported, or never.
      await Bun.sleep(0);
      terminal.close();
    },
  };
}
