import { describe, expect, test } from "bun:test";
import { createChecker } from "../../src/registry/health/checker.ts";
import { openMemory } from "../../src/registry/stores/memory.ts";
import type { Store } from "../../src/registry/stores/types.ts";
import { createFakeClock, type FakeClock } from "../helpers/clock.ts";
import { createRandom } from "../helpers/random.ts";

const S = 1000;
const INTERVAL = 150 * S;
/** A checker looks every second who is due. */
const LOOKS = 1 * S;
const LEASE = 10 * S;
/** A successor spreads its first checks over so much. */
const SPREAD = 5 * S;

/** What several registries share, by one clock. */
function createLease(clock: FakeClock): Store["lease"] {
  let holder = { registry: "", until: 0 };
  return (registry, ms) => {
    if (holder.registry !== registry && holder.until > clock.now()) return false;
    holder = { registry, until: clock.now() + ms };
    return true;
  };
}

/** Registries on one store, with healthy users, in which time passes only on demand. */
function simulate(users: number) {
  const clock = createFakeClock();
  const memory = openMemory();
  const lease = createLease(clock);
  const probes: { at: number; port: number; by: string }[] = [];
  for (let port = 1; port <= users; port++) register(port);

  function register(port: number) {
    memory.put(`user-${port}`, { protocol: "UDP", host: "10.0.0.1", port });
  }

  /** Starts a registry; `kill` ends it as kill -9 does: what it calls then is not answered any more. */
  function start(by: string) {
    let alive = true;
    const dead = new Promise<never>(() => {});
    const checker = createChecker({
      store: {
        ...memory,
        lease: (registry, ms) => (alive ? lease(registry, ms) : dead),
      },
      proberFor: ({ port }) => ({
        attempts: 3,
        begin: () => ({
          async probe() {
            if (!alive) return dead;
            probes.push({ at: clock.now(), port, by });
            return "alive";
          },
          end() {},
        }),
      }),
      log() {},
      interval: INTERVAL,
      window: 30 * S,
      clock,
      random: createRandom(by.length),
    });
    checker.start();
    return {
      stop: () => checker.stop(),
      kill() {
        alive = false;
      },
    };
  }

  /** The waits between the probes of each user, whoever sent them. */
  function waits(since = 0): number[] {
    const found: number[] = [];
    for (let port = 1; port <= users; port++) {
      const times = probes.filter((probe) => probe.port === port && probe.at >= since).map(({ at }) => at);
      for (const [i, at] of times.slice(1).entries()) found.push(at - (times[i] ?? 0));
    }
    return found;
  }

  return { clock, start, probes, register, waits, by: () => new Set(probes.map((probe) => probe.by)) };
}

describe("of three registries on one store", () => {
  test("one checks, and each user once per period", async () => {
    const net = simulate(20);
    for (const name of ["one", "second", "the third"]) net.start(name);
    await net.clock.pass(180 * S + LOOKS);
    const since = net.clock.now();
    await net.clock.pass(2 * 3600 * S);
    expect(net.by().size).toBe(1);
    expect(Math.min(...net.waits(since))).toBeGreaterThanOrEqual(120 * S);
    expect(Math.max(...net.waits(since))).toBeLessThanOrEqual(180 * S + 2 * LOOKS);
    expect(net.waits(since).length).toBeGreaterThan(20 * 35);
  });

  test("another takes over within twice the lease when the checking one is killed, and checks all users within seconds", async () => {
    const net = simulate(50);
    const registries = new Map(["one", "second", "the third"].map((name) => [name, net.start(name)]));
    await net.clock.pass(180 * S + LOOKS);
    for (let killed = 0; killed < 2; killed++) {
      await net.clock.pass(1000 * S);
      const checking = net.probes.at(-1)?.by ?? "";
      registries.get(checking)?.kill();
      const gone = net.clock.now();
      await net.clock.pass(1000 * S);
      const taken = net.probes.filter(({ at, by }) => at >= gone && by !== checking);
      const [{ at: began = 0 } = {}] = taken;
      expect(began - gone).toBeLessThanOrEqual(2 * LEASE);
      const first = taken.filter(({ at }) => at <= began + SPREAD + LOOKS);
      expect(new Set(first.map(({ port }) => port)).size).toBe(50);
      // Spread, and not all at one look.
      expect(new Set(first.map(({ at }) => at)).size).toBeGreaterThan(2);
    }
    expect(net.by().size).toBe(3);
    expect(Math.max(...net.waits())).toBeLessThanOrEqual(180 * S + 2 * LEASE + SPREAD + 2 * LOOKS);
  });

  test("another takes over at once when the checking one is stopped", async () => {
    const net = simulate(200);
    const first = net.start("one");
    net.start("second");
    await net.clock.pass(1000 * S);
    await first.stop();
    const stopped = net.clock.now();
    await net.clock.pass(LEASE / 3 + 2 * LOOKS);
    expect(net.by().has("second")).toBe(true);
    expect(Math.max(...net.probes.filter(({ by }) => by === "one").map(({ at }) => at))).toBeLessThanOrEqual(
      stopped,
    );
  });

  test("one that takes over before any check checks all users", async () => {
    const net = simulate(3);
    const first = net.start("one");
    net.start("second");
    first.kill();
    await net.clock.pass(2 * LEASE);
    const byTwo = net.probes.filter(({ by }) => by === "second").map(({ port }) => port);
    expect(new Set(byTwo)).toEqual(new Set([1, 2, 3]));
  });
});

test("a registry that starts after the last checking one died checks all users at once", async () => {
  const net = simulate(20);
  const first = net.start("one");
  await net.clock.pass(1000 * S);
  await first.stop();
  net.start("second");
  await net.clock.pass(2 * LOOKS);
  const ports = net.probes.filter(({ by }) => by === "second").map(({ port }) => port);
  expect(new Set(ports).size).toBe(20);
});
