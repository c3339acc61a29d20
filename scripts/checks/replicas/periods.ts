import { ask } from "../shared/ask.ts";
import { progress } from "../shared/progress.ts";
import { startRegistry } from "../shared/registry.ts";

const HOST = "127.0.0.1";
const USERS = 12;
const INTERVAL_MS = 3000;
/** Long enough that no busy peer counts as silent, which would have others probed too. */
const WINDOW_MS = 9000;
/** The registry's own figures: its lease is a tenth of the interval, at least 1 s; it ticks 20 times per interval. */
const LEASE_MS = 1000;
const LOOKS_MS = INTERVAL_MS / 20;
/** A successor checks everybody within this time, and again after up to 1.2 intervals. */
const SPREAD_MS = INTERVAL_MS / 30;
/** How late a probe may be on a busy machine, in milliseconds. */
const SLACK_MS = 400;

export interface Periods {
  faults: string[];
  shortest: number;
  longest: number;
  probes: number;
  killed: number;
}

/**
 * Registries on one store check live users; the checking one is killed until one registry is left. Each user must be
 * probed once per period, and earlier only when a successor starts over.
 * @param intervals intervals to wait before each kill and after the last
 */
export async function periods(store: string, registries: number, intervals: number): Promise<Periods> {
  const rounds = new Array<number>(registries).fill(0);
  const args = ["--check-interval", String(INTERVAL_MS / 1000), "--check-window", String(WINDOW_MS / 1000)];
  const running = await Promise.all(
    rounds.map(async (_, i) => ({
      i,
      ...(await startRegistry(store, args, (line) => {
        if (line.includes(" checked ")) rounds[i] = performance.now();
      })),
    })),
  );
  const probed: number[][] = [];
  const kills: number[] = [];
  for (let i = 0; i < USERS; i++) {
    const times: number[] = [];
    probed.push(times);
    const { port } = Bun.serve({
      hostname: HOST,
      port: 0,
      fetch() {
        times.push(performance.now());
        return Response.json({ status: "ok" });
      },
    });
    // Register them spread out, so that a probe is in flight most of the time.
    await Bun.sleep(INTERVAL_MS / USERS);
    await ask(running[0]?.url ?? "", "PUT", `/v1/users/live-${i}`, {
      body: { protocol: "HTTP", host: HOST, port },
    });
  }

  const steps = registries * intervals;
  for (let step = 1; step <= steps; step++) {
    await Bun.sleep(INTERVAL_MS);
    progress(step, steps, `intervals, ${probed.flat().length} probes`);
    if (step % intervals !== 0 || running.length === 1) continue;
    const [checking] = running.toSorted((a, b) => (rounds[b.i] ?? 0) - (rounds[a.i] ?? 0));
    if (!checking) continue;
    running.splice(running.indexOf(checking), 1);
    kills.push(performance.now());
    await checking.end();
  }
  const left = await ask(running[0]?.url ?? "", "GET", "/v1/users");
  for (const registry of running) await registry.end();

  const waits = probed.flatMap((times) =>
    times.slice(1).map((at, i) => ({ from: times[i] ?? 0, ms: at - (times[i] ?? 0) })),
  );
  const takeoverMs = 2 * LEASE_MS + SPREAD_MS + LOOKS_MS + SLACK_MS;
  // The wait in which the successor took over, and its first one, drawn from 0 to 1.2 intervals.
  const isFirst = (from: number, to: number) => kills.some((kill) => to >= kill && from <= kill + takeoverMs);
  const shortest = Math.min(...waits.filter(({ from, ms }) => !isFirst(from, from + ms)).map(({ ms }) => ms));
  const longest = Math.max(...waits.map(({ ms }) => ms));
  const faults: string[] = [];
  if (shortest < 0.8 * INTERVAL_MS - SLACK_MS)
    faults.push(`a user was probed twice in ${shortest.toFixed(0)} ms`);
  if (longest > 1.2 * INTERVAL_MS + takeoverMs) {
    faults.push(`a user was not probed for ${longest.toFixed(0)} ms`);
  }
  const users = Object.keys(left.json).filter((user) => user.startsWith("live-")).length;
  if (users !== USERS) faults.push(`${users} of ${USERS} live users are left`);
  return { faults, shortest, longest, probes: probed.flat().length, killed: kills.length };
}
