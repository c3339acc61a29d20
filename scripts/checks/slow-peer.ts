/**
 * A slow peer costs the others no time and the sender no memory: `bun scripts/checks/slow-peer.ts [rounds]`.
 *
 * Two senders write to nine peers, and one of them also to a tenth that reads one byte a second, over HTTP and then over
 * WebSocket. They run at the same time, so that other load affects both alike: in turns, two senders without a slow peer
 * differ by a third. Exits 1 if, in the median round, the slow peer adds more than 10 % to the 99th percentile or more than
 * 1 MB of memory, or if the machine is too busy to tell.
 */
import { join } from "node:path";
import { readLines } from "../../src/client/read-lines.ts";
import { givenNumbers, tell } from "./shared/figure.ts";
import { progress } from "./shared/progress.ts";

const [rounds = 50] = givenNumbers();

/** Most that the slow peer may cost. */
const SLOWER = 1.1;
const MEMORY_MB = 1;

/** If the nine alone take this long, in milliseconds, the machine is too busy to see what a slow peer costs. */
const TOO_BUSY_MS = 5;

/** A sender's round: its 99th percentile in milliseconds, and its memory at the end in MB. */
interface Round {
  p99: number;
  messages: number;
  heap: number;
  resident: number;
}

interface Sender {
  round(): Promise<Round>;
  stop(): void;
}

// In their own process, so that the peers' work does not slow the senders.
const peers = Bun.spawn([process.execPath, join(import.meta.dir, "slow-peer/peers.ts")], {
  stdout: "pipe",
});
const { value: ports = "" } = await readLines(peers.stdout).next();
for (const protocol of ["HTTP", "WEBSOCKET"]) await compare(protocol);
peers.kill();
process.exit();

async function compare(protocol: string): Promise<void> {
  const [alone, beside] = [startSender(), startSender(protocol)];
  // Open the connections and fill the queue first.
  for (let i = 0; i < 2; i++) await Promise.all([alone.round(), beside.round()]);
  const without: Round[] = [];
  const withSlow: Round[] = [];
  for (let i = 1; i <= rounds; i++) {
    const [one, other] = await Promise.all([alone.round(), beside.round()]);
    without.push(one);
    withSlow.push(other);
    progress(i, rounds, `rounds beside a slow peer on ${protocol}`);
  }
  alone.stop();
  beside.stop();

  const ratio = median(withSlow.map(({ p99 }, i) => p99 / (without[i]?.p99 ?? 0)));
  const [p99 = 0, slow99 = 0] = [without, withSlow].map((all) => median(all.map((round) => round.p99)));
  const messages = [...without, ...withSlow].reduce((sum, round) => sum + round.messages, 0);
  tell({
    what: `nine peers beside one that reads a byte a second over ${protocol}`,
    asked: `p99 at most 10 % longer, on a machine that keeps it under ${TOO_BUSY_MS} ms`,
    seen: `${percent(ratio)} (median of ${rounds} rounds); p99 ${p99.toFixed(2)} → ${slow99.toFixed(2)} ms, ${messages.toLocaleString("en")} messages`,
    held: ratio <= SLOWER && p99 <= TOO_BUSY_MS,
  });
  const [heap, resident] = (["heap", "resident"] as const).map(
    (kind) => median(withSlow.map((round) => round[kind])) - median(without.map((round) => round[kind])),
  );
  tell({
    what: `the sender's memory meanwhile (${protocol})`,
    asked: "at most 1 MB more in use",
    seen: `${signed(heap)} MB in use, ${signed(resident)} MB resident`,
    held: heap !== undefined && heap <= MEMORY_MB,
  });
}

function startSender(...slowProtocol: string[]): Sender {
  let take = (_: Round) => {};
  const command = [process.execPath, join(import.meta.dir, "slow-peer/sender.ts"), ports, ...slowProtocol];
  const child = Bun.spawn(command, {
    stdout: "inherit",
    stderr: "inherit",
    ipc: (round: Round) => take(round),
  });
  const ended = child.exited.then((code): never => {
    throw new Error(`a sender ended with exit code ${code}`);
  });
  // It also exits when stopped, which is fine.
  ended.catch(() => {});
  return {
    round() {
      const over = new Promise<Round>((resolve) => {
        take = resolve;
      });
      child.send("round");
      return Promise.race([over, ended]);
    },
    stop: () => child.kill(),
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function percent(ratio: number): string {
  return `${signed((ratio - 1) * 100)} %`;
}

function signed(value = Number.NaN): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}
