import { join } from "node:path";
import { readLines } from "../../../src/client/read-lines.ts";

const MAIN = join(import.meta.dir, "../../../src/registry/main.ts");

export interface RegistryProcess {
  url: string;
  pid: number;
  /** Ends it, by SIGKILL by default, and waits until it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a registry, on a free port unless its flags name one; it ends with this process.
 * @param onLog gets each line of its log; without it, nothing is logged
 */
export async function startRegistry(
  store: string,
  args: string[],
  onLog?: (line: string) => void,
): Promise<RegistryProcess> {
  const port = args.includes("--port") ? [] : ["--port", "0"];
  const command = [process.execPath, MAIN, "--store", store, ...port, ...args];
  const child = onLog
    ? Bun.spawn(command, { stdout: "pipe", stderr: "pipe" })
    : Bun.spawn([...command, "--quiet"], { stdout: "pipe", stderr: "inherit" });
  if (onLog && child.stderr) void follow(child.stderr, onLog);
  const kill = () => child.kill("SIGKILL");
  process.on("exit", kill);
  const { value: hello = "" } = await readLines(child.stdout).next();
  const url = /http:[^,]+/.exec(hello)?.[0];
  if (!url) throw new Error(`the registry did not start: ${hello}`);
  return {
    url,
    pid: child.pid,
    async end(signal = "SIGKILL") {
      process.off("exit", kill);
      child.kill(signal);
      await child.exited;
    },
  };
}

async function follow(stream: ReadableStream<Uint8Array<ArrayBuffer>>, onLine: (line: string) => void) {
  for await (const line of readLines(stream)) onLine(line);
}
