/** Resident memory in MB: Rss in /proc/<pid>/smaps_rollup, which includes the shared pages of the program itself. */
import { existsSync, readFileSync } from "node:fs";
import { fill } from "../fill.ts";
import type { Started } from "../processes.ts";
import { startBare } from "../rivals.ts";
import { NotMeasured, type Row, type Side } from "../row.ts";
import { startClient, startRegistry } from "../talk.ts";

/** How long a program idles before its memory is read, in milliseconds. */
const SETTLE_MS = 1000;

export const memoryRows: Row[] = [
  row("memory-client", "resident, idle client", 1.6, async () => {
    const registry = await startRegistry("--store", "memory:");
    let clients = 0;
    return [
      fresh("talk", () => startClient(registry, "HTTP", `bob-${clients++}`), 0, registry.stop),
      fresh("bare", () => startBare("bare-http")),
    ];
  }),
  row("memory-registry", "resident, idle registry", 1.9, async () => registries(0)),
  row("memory-100000", "resident, registry of 100,000 users", 1.7, async () => registries(100_000)),
];

function row(name: string, title: string, ratio: number, open: Row["open"]): Row {
  return { name, title, unit: "MB", better: "less", targets: [{ rival: "bare", ratio }], open };
}

function registries(users: number): Side[] {
  return [
    fresh("talk", () => startRegistry("--store", "memory:"), users),
    fresh("bare", () => startBare("bare-registry"), users),
  ];
}

/** A program started anew for each sample. */
function fresh(name: string, open: () => Promise<Started>, users = 0, close = async () => {}): Side {
  return {
    name,
    async sample() {
      const { pid, ready, stop } = await open();
      if (users > 0) await fill(ready, users);
      await Bun.sleep(SETTLE_MS);
      const megabytes = resident(pid);
      await stop();
      return megabytes;
    },
    close,
  };
}

function resident(pid: number): number {
  const file = `/proc/${pid}/smaps_rollup`;
  if (!existsSync(file)) throw new NotMeasured("there is no /proc on this system");
  return Number(/^Rss:\s+(\d+) kB/m.exec(readFileSync(file, "latin1"))?.[1]) / 1024;
}
