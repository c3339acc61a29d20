/** The programs that Talk is measured against, started. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { run, type Started, start } from "./processes.ts";
import { NotMeasured } from "./row.ts";

const READY = /^ready (?:at|with) (\S+)/m;

/** A rival on Bun, by its file's name. */
export function startBare(name: string, ...args: string[]): Promise<Started> {
  return start([process.execPath, join(import.meta.dir, "rivals", `${name}.mjs`), ...args], READY);
}

/** A rival on Node, by its file's name. @throws NotMeasured where there is no Node */
export async function startOnNode(name: string): Promise<Started> {
  const node = Bun.which("node");
  if (!node) throw new NotMeasured("node is not installed");
  await installPackages();
  return start([node, join(import.meta.dir, "rivals", `${name}.mjs`)], READY);
}

/** The rivals' packages are in a package of the benchmark's own, so that nobody else has to load them. */
async function installPackages(): Promise<void> {
  if (existsSync(join(import.meta.dir, "node_modules"))) return;
  try {
    await run([process.execPath, "install", "--frozen-lockfile", "--cwd", import.meta.dir]);
  } catch (error) {
    throw new NotMeasured(`the rivals' packages could not be installed: ${error}`);
  }
}
