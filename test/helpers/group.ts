/** Commands in process groups, signalled as a whole: the command, and the `bun run` that passes signals on to it. */
import { readLines } from "../../src/client/read-lines.ts";
import { root } from "./program.ts";

export interface Group {
  /** What the first group of the pattern matched. */
  found: string;
  /** Signals every process of the group. */
  kill(signal: NodeJS.Signals): void;
  exited: Promise<number>;
}

/** Starts `bun run …` with its input kept open; resolves once a line of output matches. */
export async function startGroup(args: string[], pattern: RegExp): Promise<Group> {
  const child = Bun.spawn([process.execPath, "run", ...args], {
    cwd: root,
    detached: true,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    env: { ...process.env, NO_COLOR: "1" },
  });
  const lines = readLines(child.stdout);
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const found = pattern.exec(next.value)?.[1];
    if (found === undefined) continue;
    void drain(lines);
    return {
      found,
      kill(signal) {
        try {
          process.kill(-child.pid, signal);
        } catch {
          // The whole group is gone.
        }
      },
      exited: child.exited,
    };
  }
  throw new Error(`bun run ${args.join(" ")} ended without ${pattern}`);
}

async function drain(lines: AsyncIterable<string>): Promise<void> {
  for await (const _ of lines);
}

/** Signals all groups; resolves to their exit codes and the milliseconds each took. */
export function stopGroups(groups: Group[], signal: NodeJS.Signals): Promise<{ code: number; ms: number }[]> {
  const began = performance.now();
  for (const group of groups) group.kill(signal);
  return Promise.all(
    groups.map(async ({ exited }) => ({ code: await exited, ms: performance.now() - began })),
  );
}
