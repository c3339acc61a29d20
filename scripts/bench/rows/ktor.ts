/** Talk against the same routes on Ktor, on one CPU core each. */
import { readFileSync } from "node:fs";
import { fill } from "../fill.ts";
import { load } from "../load.ts";
import type { Started } from "../processes.ts";
import { startKtor } from "../rivals.ts";
import { NotMeasured, type Row, type Side } from "../row.ts";
import { startPinnedRegistry } from "../talk.ts";
import { underLoad } from "./registry.ts";

/** The service runs on one core, the load generator on the other. */
const SERVICE_CORE = 0;
const LOAD_CORE = 1;

/** Seconds of load before memory is read, to measure a service at work and not at its start. */
const WORKING_SECONDS = 5;

export const ktorRows: Row[] = [
  answers("ktor-list", "GET the list of 100 users", "list", 3),
  answers("ktor-put", "PUT a user", "put", 1.45),
  answers("ktor-post", "POST new users", "post"),
  {
    name: "ktor-memory",
    title: "resident memory after PUTs, one core each",
    unit: "MB",
    better: "less",
    targets: [{ rival: "ktor", ratio: 0.4 }],
    open: async () => (await startBoth()).map(([name, service]) => memoryOf(name, service)),
  },
];

function answers(name: string, title: string, kind: "list" | "put" | "post", ratio?: number): Row {
  return {
    name,
    title: `${title}, one core each`,
    unit: "answers/s",
    better: "more",
    untilSteady: true,
    targets: ratio === undefined ? [] : [{ rival: "ktor", ratio }],
    async open() {
      const sides = await startBoth();
      if (kind === "list") for (const [, { ready }] of sides) await fill(ready, 100);
      return sides.map(([side, service]) => underLoad(side, service, { kind, core: LOAD_CORE }));
    },
  };
}

async function startBoth(): Promise<[string, Started][]> {
  if (!Bun.which("taskset") || navigator.hardwareConcurrency < 2) {
    throw new NotMeasured("taskset (util-linux) and two CPU cores are needed");
  }
  return [
    ["talk", await startPinnedRegistry(SERVICE_CORE)],
    ["ktor", await startKtor(SERVICE_CORE)],
  ];
}

function memoryOf(name: string, { pid, ready: url, stop }: Started): Side {
  return {
    name,
    async sample() {
      await load({ kind: "put", url, seconds: WORKING_SECONDS, core: LOAD_CORE });
      return residentMegabytes(pid);
    },
    close: stop,
  };
}

/** The resident set in MB (proc(5)). */
function residentMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(kilobytes) / 1000;
}
