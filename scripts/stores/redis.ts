import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLines } from "../../src/core/lines.ts";
import { freePort } from "../../test/helpers/port.ts";

export interface RedisProcess {
  /** For `--store`. */
  url: string;
  pid: number;
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port and with what is on its disk; resolves when that is loaded. */
  start(): Promise<void>;
}

/**
 * Starts a Redis on a free port, with a folder that goes away with this process.
 * @param options of redis-server, such as `--appendonly yes`; without, it keeps nothing on disk
 */
export async function startRedis(...options: string[]): Promise<RedisProcess> {
  const server = Bun.which("redis-server");
  if (!server) throw new Error("there is no redis-server on this machine: apt-get install redis-server");
  const folder = mkdtempSync(join(tmpdir(), "talk-redis-"));
  const port = freePort();
  const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
  const spawn = () => Bun.spawn([server, ...place, ...options], { stdout: "pipe", stderr: "inherit" });
  let child = spawn();
  await ready();
  process.on("exit", () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  async function ready(): Promise<void> {
    for await (const line of readLines(child.stdout)) {
      if (line.includes("Ready to accept connections")) return;
    }
    throw new Error("redis-server did not start");
  }

  return {
    url: `redis://127.0.0.1:${port}/0`,
    get pid() {
      return child.pid;
    },
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
    async start() {
      child = spawn();
      await ready();
    },
  };
}
