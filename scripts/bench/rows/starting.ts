/** How long one waits at the start, in milliseconds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run, type Started } from "../processes.ts";
import type { Row, Side } from "../row.ts";
import { startRegistry } from "../talk.ts";

/** Starts in a sample, of which the quickest counts: what else ran can only have slowed it. */
const STARTS = 5;

const client = [process.execPath, join(root, "src/client/main.ts")];
const nothing = [process.execPath, "-e", "0"];

export const startingRows: Row[] = [
  row("help", "client --help", 2.5, async () => [
    quickest("talk", () => timed([...client, "--help"])),
    quickest("bun -e 0", () => timed(nothing)),
  ]),
  row("prompt", "client, to the first prompt", 8, async () => {
    const registry = await startRegistry("--store", "memory:");
    return [
      quickest("talk", () => toPrompt(client, registry), registry.stop),
      quickest("bun -e 0", () => timed(nothing)),
    ];
  }),
  row("prompt-compiled", "compiled client, to the first prompt", 3, async () => {
    const folder = mkdtempSync(join(tmpdir(), "talk-bench-"));
    const compiled = await build(folder);
    const registry = await startRegistry("--store", "memory:");
    const close = async () => {
      rmSync(folder, { recursive: true });
      await registry.stop();
    };
    return [
      quickest("talk", () => toPrompt(compiled, registry), close),
      quickest("bun -e 0", () => timed(nothing)),
    ];
  }),
];

function row(name: string, title: string, ratio: number, open: Row["open"]): Row {
  return { name, title, unit: "ms", better: "less", targets: [{ rival: "bun -e 0", ratio }], open };
}

function quickest(name: string, once: () => Promise<number>, close = async () => {}): Side {
  return {
    name,
    async sample() {
      const times: number[] = [];
      for (let i = 0; i < STARTS; i++) times.push(await once());
      return Math.min(...times);
    },
    close,
  };
}

async function timed(command: string[]): Promise<number> {
  const began = performance.now();
  await Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exited;
  return performance.now() - began;
}

/** Starts a client in a terminal of its own, until it asks for a line; then it leaves. */
async function toPrompt(command: string[], { ready: url }: Started): Promise<number> {
  const began = performance.now();
  const prompted = Promise.withResolvers<number>();
  let screen = "";
  const child = Bun.spawn([...command, "--registry", url, "--port", "0"], {
    terminal: {
      cols: 80,
      rows: 24,
      data(_, bytes) {
        screen += Buffer.from(bytes);
        if (Bun.stripANSI(screen).endsWith("> ")) prompted.resolve(performance.now() - began);
      },
    },
  });
  const ended = child.exited.then(() => Promise.reject(new Error(`the client ended: ${screen}`)));
  ended.catch(() => {});
  const ms = await Promise.race([prompted.promise, ended]);
  // By a signal, because what is typed so early may not be read yet.
  child.kill("SIGTERM");
  await child.exited;
  return ms;
}

/** The client of a binary that is built into a folder. */
async function build(folder: string): Promise<string[]> {
  const binary = join(folder, "talk");
  await run([process.execPath, join(root, "scripts/build.ts"), binary]);
  return [binary, "client"];
}
