/** Input that comes faster than anybody can take it, or without end. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../../src/core/schemas.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { put } from "../helpers/chat.ts";
import { createInbox } from "../helpers/inbox.ts";
import { listed, root, startRegistry } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

/** What the contract allows: an answer on its health, to leave, and memory. */
const HEALTH_MS = 200;
const LEAVE_MS = 3000;
const MEMORY_KB = 150_000;

/** How much of the flood is taken before the signal comes. */
const HEALTH_CHECKS = 25;

const inputs: Record<string, string> = {
  "lines without end": "yes hello",
  "a line without end": "cat /dev/zero",
  "a million lines": "seq 1 1000000; tail -f /dev/null",
  "commands without end": "yes :help",
};

/** A client behind a shell pipeline, in a process group of its own. */
async function startFlooded(
  input: string,
  { selected = false, flags = "", output = ">/dev/null 2>&1" } = {},
) {
  const registry = await startRegistry();
  const peer = await startPeer();
  await put(registry, "bob", { protocol: "HTTP", host: "127.0.0.1", port: peer.port });
  const folder = temporaryFolder();
  const self = `--name alice --port 0 --registry ${registry.url} ${flags}`;
  const client = `echo $$ >${folder}/pid; exec "${process.execPath}" "${join(root, "src/client/main.ts")}" ${self}`;
  const source = `{ ${selected ? "echo :user bob; " : ""}${input}; } 2>/dev/null`;
  const shell = Bun.spawn(
    ["setsid", "bash", "-c", `${source} | { sh -c '${client}'; echo $? >${folder}/code; } ${output}`],
    { env: process.env, stdin: "ignore" },
  );
  afterwards(() => {
    try {
      process.kill(-shell.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  });
  let entry: unknown;
  while (!isRecord(entry)) entry = (await listed(registry)).alice;
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  return {
    registry,
    peer,
    pid,
    port: Number(entry.port),
    peakMemory: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
    async exitCode() {
      const file = join(folder, "code");
      while (!existsSync(file) || readFileSync(file, "utf8") === "") await Bun.sleep(5);
      return Number(readFileSync(file, "utf8"));
    },
  };
}

async function startPeer() {
  const inbox = createInbox<string>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      inbox.push(await request.text());
      return Response.json({ status: "ok" });
    },
  });
  afterwards(() => server.stop(true));
  return { inbox, port: server.port };
}

/** How often the health is measured at most: a busy machine is slow once in a while, a starved client each time. */
const MEASUREMENTS = 4;

/** The slowest answer on its health, in milliseconds, of the best of some measurements. */
async function slowestHealth(port: number): Promise<number> {
  let slowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < MEASUREMENTS && slowest >= HEALTH_MS; i++)
    slowest = Math.min(slowest, await measureHealth(port));
  return slowest;
}

/** The second slowest of many answers: a single late one may be this machine's. */
async function measureHealth(port: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < HEALTH_CHECKS; i++) {
    const began = performance.now();
    expect((await fetch(`http://127.0.0.1:${port}/v1/health`)).status).toBe(200);
    times.push(performance.now() - began);
    await Bun.sleep(20);
  }
  return times.sort((a, b) => b - a)[1] ?? 0;
}

const floods = Object.entries(inputs).flatMap(([name, input]) =>
  [false, true].flatMap((selected) =>
    ["", "--json"].map(
      (flags) =>
        [
          `${name}, ${selected ? "with" : "without"} a peer ${flags}`.trim(),
          input,
          { selected, flags },
        ] as const,
    ),
  ),
);

test.each(floods)(
  "under %s a client answers, stays small, and leaves at SIGTERM",
  async (_, input, options) => {
    const client = await startFlooded(input, options);
    if (options.selected && input !== "cat /dev/zero" && input !== "yes :help")
      await client.peer.inbox.next();
    expect(await slowestHealth(client.port)).toBeLessThan(HEALTH_MS);
    expect(client.peakMemory()).toBeLessThan(MEMORY_KB);
    const began = performance.now();
    process.kill(client.pid, "SIGTERM");
    expect(await client.exitCode()).toBe(0);
    expect(performance.now() - began).toBeLessThan(LEAVE_MS);
    expect(Object.keys(await listed(client.registry))).toEqual(["bob"]);
  },
);

test.each(["", "--json"])(
  "a client whose output nobody reads stops reading its input, stays small, and leaves at SIGTERM %s",
  async (flags) => {
    const client = await startFlooded("yes hello", { flags, output: "2>&1 | tail -f /dev/null" });
    expect(await slowestHealth(client.port)).toBeLessThan(HEALTH_MS);
    expect(client.peakMemory()).toBeLessThan(MEMORY_KB);
    const began = performance.now();
    process.kill(client.pid, "SIGTERM");
    expect(await client.exitCode()).toBe(0);
    expect(performance.now() - began).toBeLessThan(LEAVE_MS);
  },
);
