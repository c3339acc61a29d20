/** A private Redis server for tests and scripts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisClient } from "bun";
import { readLines } from "../../src/client/read-lines.ts";
import { freePort } from "./port.ts";

const program = Bun.which("redis-server");

/** Why tests that need Redis are skipped; undefined if they run. */
export const noRedis = program
  ? undefined
  : "there is no redis-server on this machine: apt-get install redis-server";

export interface Redis {
  /** For `--store`. */
  url: string;
  /** Deletes everything. */
  empty(): Promise<void>;
  forgetScripts(): Promise<void>;
  /** Sends a command. */
  tell(command: string, ...args: string[]): Promise<unknown>;
  /** Resolves once it has exited, if the signal ends it. @param signal @default SIGKILL */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again with what it had written to disk; resolves once that is loaded. */
  start(): Promise<void>;
  /** Both of them. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

let shared: Promise<Redis> | undefined;

/** The server that tests share, emptied; it ends after the last of them. */
export async function emptyRedis(): Promise<Redis> {
  shared ??= startRedis();
  const redis = await shared;
  await redis.empty();
  return redis;
}

/** Ends the shared server. */
export async function endRedis(): Promise<void> {
  const redis = await shared;
  shared = undefined;
  await redis?.stop();
}

/** Starts a server on a free port. @param options of redis-server, such as `--appendonly yes`; by default, nothing goes to disk */
export async function startRedis(...options: string[]): Promise<Redis> {
  if (!program) throw new Error(noRedis);
  const folder = mkdtempSync(join(tmpdir(), "talk-redis-"));
  const port = freePort();
  const command = [program, "--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
  const spawn = () => Bun.spawn([...command, ...options], { stdout: "pipe", stderr: "ignore" });
  let server = spawn();
  process.on("exit", end);
  await ready();

  async function tell(command: string, ...args: string[]): Promise<unknown> {
    const client = new RedisClient(redis.url);
    const answer = await client.send(command, args);
    client.close();
    return answer;
  }

  function end() {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }

  async function ready(): Promise<void> {
    for await (const line of readLines(server.stdout))
      if (line.includes("Ready to accept connections")) return;
    throw new Error("redis-server did not start");
  }

  const redis: Redis = {
    url: `redis://127.0.0.1:${port}/0`,
    tell,
    empty: async () => void (await tell("FLUSHALL")),
    forgetScripts: async () => void (await tell("SCRIPT", "FLUSH")),
    async kill(signal = "SIGKILL") {
      server.kill(signal);
      if (signal === "SIGKILL") await server.exited;
    },
    async start() {
      server = spawn();
      await ready();
    },
    async restart() {
      await redis.kill();
      await redis.start();
    },
    async stop() {
      process.off("exit", end);
      end();
      await server.exited;
    },
  };
  return redis;
}
