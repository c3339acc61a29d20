/**
 * How many messages a client receives per second. Its output is read through a pipe and discarded. The bare rivals print
 * each message too, because receiving is no use without showing.
 */
import { join } from "node:path";
import { load } from "../load.ts";
import { run, type Started } from "../processes.ts";
import { startBare, startOnNode } from "../rivals.ts";
import type { Row, Side } from "../row.ts";
import { startClient, startRegistry } from "../talk.ts";

/** Datagrams per second to try on the bare receiver, until it loses some. */
const PACES = [10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000, 120_000, 150_000];

/** How long each rate is tried, in seconds. */
const TRIAL_SECONDS = 0.5;

/** All lines have arrived once none has come for this long, in milliseconds. */
const QUIET_MS = 100;

export const receivingRows: Row[] = [
  {
    ...row("receive-http", "receiving over HTTP, 64 in flight", 0.95),
    open: async () => [
      ...(await openTalk("HTTP", byHttp)),
      byHttp("bare", await startBare("bare-http"), async () => {}),
    ],
  },
  {
    ...row("receive-websocket", "receiving over WebSocket, each answered with OK", 1),
    open: async () => [
      ...(await openTalk("WEBSOCKET", byWebSocket)),
      byWebSocket("bare", await startBare("bare-websocket"), async () => {}),
      byWebSocket("ws", await startOnNode("ws"), async () => {}),
    ],
  },
  {
    ...row("receive-udp", "receiving over UDP, as fast as bare loses none", 0.97),
    async open() {
      const bare = await startBare("bare-udp");
      const pace = await findPace(bare);
      const byUdp = (name: string, process: Started, cleanUp: () => Promise<void>): Side => ({
        ...side(name, process, cleanUp),
        sample: async (seconds) => (await receiveUdp(process, pace, seconds)) / seconds,
      });
      return [
        ...(await openTalk("UDP", byUdp)),
        byUdp("bare", bare, async () => {}),
        byUdp("dgram", await startOnNode("dgram"), async () => {}),
      ];
    },
  },
];

function row(name: string, title: string, ratio: number) {
  const targets = [{ rival: "bare", ratio }];
  return { name, title, unit: "messages/s", better: "more" as const, targets };
}

type ToSide = (name: string, process: Started, cleanUp: () => Promise<void>) => Side;

async function openTalk(protocol: string, toSide: ToSide): Promise<[Side]> {
  const registry = await startRegistry("--store", "memory:");
  return [toSide("talk", await startClient(registry, protocol, "bob"), registry.stop)];
}

function byHttp(name: string, process: Started, cleanUp: () => Promise<void>): Side {
  const url = `http://127.0.0.1:${portOf(process)}`;
  return {
    ...side(name, process, cleanUp),
    sample: (seconds) => load({ kind: "message", url, connections: 64, seconds }),
  };
}

function byWebSocket(name: string, process: Started, cleanUp: () => Promise<void>): Side {
  return {
    ...side(name, process, cleanUp),
    async sample(seconds) {
      const output = await generate("websocket", portOf(process), 4, 16, seconds);
      const [, answers, took] = /answers=(\d+) seconds=([\d.]+)/.exec(output) ?? [];
      return Number(answers) / Number(took);
    },
  };
}

function side(name: string, { pid, stop }: Started, cleanUp: () => Promise<void>) {
  return {
    name,
    pid,
    async close() {
      await stop();
      await cleanUp();
    },
  };
}

/** The highest rate at which a receiver loses nothing in two trials. */
async function findPace(receiver: Started): Promise<number> {
  let found = PACES[0] ?? 1;
  for (const pace of PACES) {
    for (let trial = 0; trial < 2; trial++) {
      if ((await receiveUdp(receiver, pace, TRIAL_SECONDS)) < pace * TRIAL_SECONDS) return found;
    }
    found = pace;
  }
  return found;
}

/** Sends datagrams for `seconds`. @returns how many were printed */
async function receiveUdp(receiver: Started, pace: number, seconds: number): Promise<number> {
  const before = receiver.lines();
  await generate("udp", portOf(receiver), pace, seconds);
  for (let seen = -1; seen !== receiver.lines(); ) {
    seen = receiver.lines();
    await Bun.sleep(QUIET_MS);
  }
  return receiver.lines() - before;
}

function generate(name: string, ...args: number[]): Promise<string> {
  return run([process.execPath, join(import.meta.dir, "../generators", `${name}.ts`), ...args.map(String)]);
}

/** The port in a receiver's ready line: a client prints its port, a rival its URL. */
function portOf({ ready }: Started): number {
  return Number(/\d+$/.exec(ready)?.[0]);
}
