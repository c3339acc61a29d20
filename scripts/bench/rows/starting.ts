/** Startup times, in milliseconds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryId } from "../../../src/client/registry/secrets.ts";
import { openStorage } from "../../../src/client/storage/index.ts";
import { root, run, type Started } from "../processes.ts";
import type { Row, Side } from "../row.ts";
import { startClient, startRegistry } from "../talk.ts";

/** Starts per sample; the fastest counts, because other load can only slow one down. */
const STARTS = 5;

const nothing = [process.execPath, "-e", "0"];

/** The command line that starts a command of Talk, `client` or `send`. */
type Talk = (command: string) => string[];

/** A way to install Talk: how to start it, and how to remove it again. */
type Installation = () => Promise<{ talk: Talk; remove(): void }>;

const installations: Record<"clone" | "installed" | "compiled", Installation> = {
  // Like `bun run client` and `bun run send`.
  clone: async () => ({
    talk: (command) => [
      process.execPath,
      join(root, command === "send" ? "src/client/send.ts" : "src/client/main.ts"),
    ],
    remove() {},
  }),
  installed: () =>
    installed(async (folder) => {
      // Like an unpacked archive: the launcher and its bundle.
      await Bun.write(join(folder, "scripts/launch.ts"), Bun.file(join(root, "scripts/launch.ts")));
      await run([process.execPath, buildScript, "--bundle", join(folder, "dist/bundle")]);
      return (command) => [process.execPath, join(folder, "scripts/launch.ts"), command];
    }),
  compiled: () =>
    installed(async (folder) => {
      const binary = join(folder, "talk");
      await run([process.execPath, buildScript, binary]);
      return (command) => [binary, command];
    }),
};

const buildScript = join(root, "scripts/build.ts");

async function installed(put: (folder: string) => Promise<Talk>): Promise<{ talk: Talk; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "talk-bench-"));
  return { talk: await put(folder), remove: () => rmSync(folder, { recursive: true }) };
}

export const startingRows: Row[] = [
  ...rowsOf("help", "client --help", { clone: 2.5, installed: 2.5 }, async () => ({
    once: (talk) => timed([...talk("client"), "--help"]),
  })),
  ...rowsOf(
    "first-line",
    "client in a pipe, to its first byte",
    { clone: 15, installed: 8, compiled: 3 },
    async () => {
      const registry = await startRegistry("--store", "memory:");
      return { once: (talk) => toFirstByte(talk("client"), registry), stop: registry.stop };
    },
  ),
  ...rowsOf("prompt", "client, to the first prompt", { clone: 8, installed: 8, compiled: 3 }, async () => {
    const registry = await startRegistry("--store", "memory:");
    return { once: (talk) => toPrompt(talk("client"), registry), stop: registry.stop };
  }),
  ...rowsOf("sent", "send, one text", { clone: 12, installed: 6, compiled: 2.5 }, async () => {
    const registry = await startRegistry("--store", "memory:");
    const bob = await startClient(registry, "HTTP", "bob");
    return {
      once: (talk) => timed([...talk("send"), "--registry", registry.ready, "--to", "bob", "hi"]),
      async stop() {
        await bob.stop();
        await registry.stop();
      },
    };
  }),
  {
    name: "kept",
    title: "client, to the list, with 100,000 messages kept",
    unit: "ms",
    better: "less",
    targets: [{ rival: "none", ratio: 1.1 }],
    async open() {
      const registry = await startRegistry("--store", "memory:");
      const { talk, remove } = await installations.clone();
      const [full, empty] = [
        mkdtempSync(join(tmpdir(), "talk-bench-")),
        mkdtempSync(join(tmpdir(), "talk-bench-")),
      ];
      fill(full, registry.ready);
      const command = [...talk("client"), "--name", READER];
      const until = (screen: string) => screen.includes("(you)");
      const close = async () => {
        for (const folder of [full, empty]) rmSync(folder, { recursive: true });
        remove();
        await registry.stop();
      };
      return [
        quickest("talk", () => toScreen(command, registry, until, { XDG_STATE_HOME: full }), close),
        quickest("none", () => toScreen(command, registry, until, { XDG_STATE_HOME: empty })),
      ];
    },
  },
];

/** The user whose messages are kept. */
const READER = "reader";

/** Stores 100,000 messages and one that waits to be sent, where a client keeps them. */
function fill(state: string, registry: string): void {
  const storage = openStorage({
    path: join(state, "talk/talk.db"),
    historyFile: join(state, "talk/history"),
    onTrouble(sentence) {
      throw new Error(sentence);
    },
  });
  const { transcript, waiting } = storage.of(registryId(registry), READER, true);
  for (let i = 0; i < 100_000; i++) {
    transcript.heard(
      `user-${i % 20}`,
      `message ${i}, as long as people write them, of eighty characters or so`,
      false,
    );
    if (i % 1000 === 0) transcript.commit();
  }
  waiting.add("user-1", "10.0.0.1", "it waits");
  storage.close();
}

/** How to time one start, and how to clean up. */
interface Start {
  once(talk: Talk): Promise<number>;
  stop?(): Promise<void>;
}

/** A row for each way of installing Talk that has a limit. @param limits multiples of the time of `bun -e 0` */
function rowsOf(
  name: string,
  title: string,
  limits: Partial<Record<keyof typeof installations, number>>,
  open: () => Promise<Start>,
): Row[] {
  return Object.entries(installations).flatMap(([way, install]) => {
    const limit = Object.entries(limits).find(([limited]) => limited === way)?.[1];
    if (limit === undefined) return [];
    return row(`${name}-${way}`, `${title}: ${way}`, limit, async () => {
      const { talk, remove } = await install();
      const { once, stop } = await open();
      const close = async () => {
        remove();
        await stop?.();
      };
      return [quickest("talk", () => once(talk), close), quickest("bun -e 0", () => timed(nothing))];
    });
  });
}

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

/** Times a client behind `printf '' |` until its first output; it then exits by itself. */
async function toFirstByte(command: string[], { ready: url }: Started): Promise<number> {
  const began = performance.now();
  const child = Bun.spawn([...command, "--registry", url, "--port", "0"], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  child.stdin.end();
  let ms = Number.NaN;
  for await (const _ of child.stdout) if (Number.isNaN(ms)) ms = performance.now() - began;
  await child.exited;
  return ms;
}

/** Times a client in a terminal until its prompt. */
function toPrompt(command: string[], registry: Started): Promise<number> {
  return toScreen(command, registry, (screen) => screen.endsWith("> "));
}

/** Times a client in a terminal until its screen satisfies a condition. */
async function toScreen(
  command: string[],
  { ready: url }: Started,
  isWanted: (screen: string) => boolean,
  env: Record<string, string> = {},
): Promise<number> {
  const began = performance.now();
  const prompted = Promise.withResolvers<number>();
  let screen = "";
  const child = Bun.spawn([...command, "--registry", url, "--port", "0"], {
    env: { ...process.env, ...env },
    terminal: {
      cols: 80,
      rows: 24,
      data(_, bytes) {
        screen += Buffer.from(bytes);
        if (isWanted(Bun.stripANSI(screen))) prompted.resolve(performance.now() - began);
      },
    },
  });
  const ended = child.exited.then(() => Promise.reject(new Error(`the client ended: ${screen}`)));
  ended.catch(() => {});
  const ms = await Promise.race([prompted.promise, ended]);
  // Stop it with a signal, because input this early may not be read yet.
  child.kill("SIGTERM");
  await child.exited;
  return ms;
}
