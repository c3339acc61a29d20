import { describe, expect, test } from "bun:test";
import type { Address, UserName } from "../../src/core/schemas.ts";
import { createChecker } from "../../src/registry/health/checker.ts";
import type { Finding } from "../../src/registry/health/types.ts";
import type { LogEvent } from "../../src/registry/log.ts";
import { openMemory } from "../../src/registry/stores/memory.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { createRandom } from "../helpers/random.ts";

const S = 1000;
const INTERVAL = 150 * S;
const WINDOW = 30 * S;

/** A peer answers a probe with a finding after some time, in milliseconds. */
type Peer = (deadline: number) => { finding: Finding; ms: number };

const healthy: Peer = () => ({ finding: "alive", ms: 5 });
const closed: Peer = () => ({ finding: "refused", ms: 1 });
const mute: Peer = (deadline) => ({ finding: "silent", ms: deadline });

/** A registry with a network of peers, by port, in which time passes only on demand. */
function simulate({ attempts = 20, seed = 1 } = {}) {
  const clock = createFakeClock();
  const store = openMemory();
  const peers = new Map<number, Peer>();
  const probes: { at: number; port: number }[] = [];
  const events: LogEvent[] = [];
  let underWay = 0;
  let mostUnderWay = 0;

  async function probe(port: number, deadline: number): Promise<Finding> {
    probes.push({ at: clock.now(), port });
    mostUnderWay = Math.max(mostUnderWay, ++underWay);
    const { finding, ms } = (peers.get(port) ?? closed)(deadline);
    await new Promise<void>((resolve) => void clock.after(ms, resolve));
    underWay--;
    return finding;
  }

  const checker = createChecker({
    store,
    proberFor: ({ port }) => ({
      attempts,
      begin: () => ({ probe: (deadline) => probe(port, deadline), end() {} }),
    }),
    log: (event) => void events.push(event),
    interval: INTERVAL,
    window: WINDOW,
    clock,
    random: createRandom(seed),
  });

  function register(user: UserName, peer: Peer, port = peers.size + 1): void {
    peers.set(port, peer);
    const address: Address = { protocol: "UDP", host: "10.0.0.1", port };
    store.put(user, address);
  }

  return {
    clock,
    store,
    checker,
    peers,
    probes,
    events,
    register,
    registerMany(count: number, peer: Peer) {
      for (let i = 0; i < count; i++) register(`user-${peers.size + 1}`, peer);
    },
    users: async () => Array.from(await store.registrations(), ({ user }) => user),
    mostUnderWay: () => mostUnderWay,
    probesOf: (port: number) => probes.filter((probe) => probe.port === port).map(({ at }) => at),
  };
}

describe("the schedule:", () => {
  test("after a start all are checked at once, and then spread over 0 to 180 s", async () => {
    const net = simulate();
    net.registerMany(50, healthy);
    net.checker.start();
    await net.clock.pass(100);
    expect(net.probes).toHaveLength(50);
    await net.clock.pass(185 * S);
    const second = Array.from({ length: 50 }, (_, i) => (net.probesOf(i + 1)[1] ?? 0) / S);
    expect(Math.max(...second)).toBeLessThan(182);
    expect(Math.max(...second)).toBeGreaterThan(150);
    expect(Math.min(...second)).toBeLessThan(30);
  });

  test("every later pause is 120 to 180 s, for hours", async () => {
    const net = simulate();
    net.registerMany(10, healthy);
    net.checker.start();
    await net.clock.pass(12 * 3600 * S);
    for (let port = 1; port <= 10; port++) {
      const [, , ...times] = net.probesOf(port);
      const waits = times.slice(1).map((at, i) => (at - (times[i] ?? 0)) / S);
      expect(waits.length).toBeGreaterThan(250);
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(120);
      // One looks every second who is due.
      expect(Math.max(...waits)).toBeLessThanOrEqual(181.1);
    }
    expect(await net.users()).toHaveLength(10);
  });

  test("a user who registers later is first checked 120 to 180 s after that", async () => {
    const net = simulate();
    net.checker.start();
    await net.clock.pass(10 * S);
    net.register("bob", healthy);
    await net.clock.pass(200 * S);
    const [first = 0] = net.probesOf(1);
    expect(first).toBeGreaterThanOrEqual(130 * S);
    expect(first).toBeLessThanOrEqual(192.1 * S);
  });

  test("at most 200 probes run at once, and a deadline starts when its probe is sent", async () => {
    const net = simulate();
    net.registerMany(1000, (deadline) => ({ finding: "alive", ms: deadline - 1 }));
    net.checker.start();
    await net.clock.pass(INTERVAL);
    expect(net.mostUnderWay()).toBe(200);
    expect(await net.users()).toHaveLength(1000);
  });
});

describe("among users waiting for a slot,", () => {
  test("one who has left meanwhile is not probed", async () => {
    const net = simulate();
    net.registerMany(1000, mute);
    net.checker.start();
    await net.clock.pass(1);
    for (let i = 301; i <= 1000; i++) net.store.remove(`user-${i}`, undefined);
    await net.clock.pass(100 * S);
    expect(new Set(net.probes.map(({ port }) => port)).size).toBe(300);
  });

  test("none is probed once checking has stopped", async () => {
    const net = simulate();
    net.registerMany(100_000, mute);
    net.checker.start();
    await net.clock.pass(1);
    void net.checker.stop();
    await net.clock.pass(100 * S);
    expect(net.probes).toHaveLength(200);
  });
});

describe("what a failure means:", () => {
  test("two refusals at least a second apart remove a user", async () => {
    const net = simulate();
    net.register("bob", closed);
    net.checker.start();
    await net.clock.pass(900);
    expect(await net.users()).toEqual(["bob"]);
    await net.clock.pass(1 * S);
    expect(await net.users()).toEqual([]);
    const [first = 0, second = 0, ...more] = net.probesOf(1);
    expect(second - first).toBeGreaterThanOrEqual(1 * S);
    expect(more).toEqual([]);
    expect(net.events).toContainEqual(
      expect.objectContaining({ type: "removed", user: "bob", finding: "refused" }),
    );
  });

  test("silence removes a user when the window is over, not before", async () => {
    const net = simulate();
    net.register("bob", mute);
    net.checker.start();
    await net.clock.pass(29 * S);
    expect(await net.users()).toEqual(["bob"]);
    await net.clock.pass(2 * S);
    expect(await net.users()).toEqual([]);
    expect(net.probesOf(1)).toHaveLength(20);
  });

  test("local errors that return at once still take the whole window", async () => {
    const net = simulate();
    net.register("bob", () => ({ finding: "silent", ms: 0 }));
    net.checker.start();
    await net.clock.pass(29 * S);
    expect(await net.users()).toEqual(["bob"]);
    await net.clock.pass(2 * S);
    expect(await net.users()).toEqual([]);
  });

  test("one refusal, or an answer to the last probe, removes nobody", async () => {
    const net = simulate();
    let asked = 0;
    net.register("bob", (deadline) => (asked++ === 0 ? closed(deadline) : healthy(deadline)));
    let silent = 0;
    net.register("carol", (deadline) => (silent++ % 20 < 19 ? mute(deadline) : healthy(deadline)));
    net.checker.start();
    await net.clock.pass(3600 * S);
    expect(await net.users()).toEqual(["bob", "carol"]);
  });

  test("a user who registers again at another address while the old one fails stays", async () => {
    const net = simulate();
    net.register("bob", mute, 1);
    net.checker.start();
    await net.clock.pass(20 * S);
    net.register("bob", healthy, 2);
    await net.clock.pass(3600 * S);
    expect(await net.users()).toEqual(["bob"]);
  });

  test("a user who registers again at the same address at the very last moment stays, too", async () => {
    const net = simulate();
    let late = () => {};
    let asked = 0;
    net.register("bob", (deadline) => {
      // The last silence of the window: nobody looks for changes between it and the removal.
      if (++asked === 20) net.clock.after(deadline - 0.5, late);
      return asked <= 20 ? mute(deadline) : healthy(deadline);
    });
    late = () => net.store.put("bob", { protocol: "UDP", host: "10.0.0.1", port: 1 });
    net.checker.start();
    await net.clock.pass(3600 * S);
    expect(asked).toBeGreaterThan(20);
    expect(await net.users()).toEqual(["bob"]);
  });
});

describe("when many fail at once, the registry suspects itself:", () => {
  test.each([
    [5, 5],
    [6, 10],
    [30, 40],
  ])("%d of %d users who die are removed after the second check, and nobody else", async (dead, all) => {
    const net = simulate();
    net.registerMany(all, healthy);
    net.checker.start();
    await net.clock.pass(200 * S);
    for (let port = 1; port <= dead; port++) net.peers.set(port, closed);
    await net.clock.pass(149 * S);
    expect(await net.users()).toHaveLength(all);
    expect(net.events.filter(({ type }) => type === "suspect").length).toBeGreaterThan(0);
    await net.clock.pass(250 * S);
    expect(await net.users()).toHaveLength(all - dead);
  });

  test("5,000 of 10,000 users who die are all removed, and nobody else", async () => {
    const net = simulate({ attempts: 3 });
    net.registerMany(10_000, healthy);
    net.checker.start();
    await net.clock.pass(200 * S);
    for (let port = 1; port <= 5000; port++) net.peers.set(port, closed);
    await net.clock.pass(420 * S);
    expect(await net.users()).toHaveLength(5000);
  });

  test("400 users who never answer are gone after two checks, and 20 healthy ones stay", async () => {
    const net = simulate({ attempts: 3 });
    net.checker.start();
    await net.clock.pass(1 * S);
    net.registerMany(400, mute);
    net.registerMany(20, healthy);
    // Two waits of up to 1.2 intervals, and two windows, of which the slots let half of the 400 begin at once.
    await net.clock.pass(2.4 * INTERVAL + 4 * WINDOW);
    expect(await net.users()).toEqual(Array.from({ length: 20 }, (_, i) => `user-${401 + i}`));
  });

  test("4 of 10 users who die are removed after the first check", async () => {
    const net = simulate();
    net.registerMany(10, healthy);
    net.checker.start();
    await net.clock.pass(200 * S);
    for (let port = 1; port <= 4; port++) net.peers.set(port, closed);
    await net.clock.pass(185 * S);
    expect(await net.users()).toHaveLength(6);
  });

  test.each(["silent", "refused"] as const)(
    "an outage of its own network for less than an interval (%s) removes nobody",
    async (finding) => {
      for (let seed = 1; seed <= 10; seed++) {
        const net = simulate({ seed, attempts: seed % 2 ? 20 : 3 });
        let away = false;
        net.registerMany(30, (deadline) =>
          away ? { finding, ms: finding === "silent" ? deadline : 1 } : healthy(deadline),
        );
        net.checker.start();
        await net.clock.pass(1000 * S);
        away = true;
        await net.clock.pass(INTERVAL - 1 * S);
        away = false;
        await net.clock.pass(1000 * S);
        expect(await net.users()).toHaveLength(30);
      }
    },
  );
});

describe("the arithmetic of loss:", () => {
  /** A UDP client behind a path that loses so much each way. */
  const lossy =
    (loss: number, random: () => number): Peer =>
    (deadline) =>
      random() < (1 - loss) ** 2 ? { finding: "alive", ms: 1 } : mute(deadline);

  async function removedIn(rounds: number, loss: number): Promise<number> {
    const users = 200;
    const net = simulate({ seed: 7 });
    net.registerMany(users, lossy(loss, createRandom(11)));
    net.checker.start();
    // A round is 150 s on average; who is removed is not put back, so a removal is never counted twice.
    await net.clock.pass((rounds / users) * INTERVAL * 1.02);
    const checks = net.events.reduce((sum, event) => sum + (event.type === "round" ? event.users : 0), 0);
    expect(checks).toBeGreaterThanOrEqual(rounds * 0.97);
    return users - (await net.users()).length;
  }

  test("at 30 % loss each way, at most one healthy client in 100,000 checks is removed", async () => {
    expect(await removedIn(100_000, 0.3)).toBeLessThanOrEqual(1);
  });

  test("at 5 % loss each way, none in 1,000,000 is", async () => {
    expect(await removedIn(1_000_000, 0.05)).toBe(0);
  });
});

test("a round is logged when it is over", async () => {
  const net = simulate();
  net.registerMany(3, healthy);
  net.checker.start();
  await net.clock.pass(400 * S);
  const [first] = net.events.filter(({ type }) => type === "round");
  expect(first).toMatchObject({ type: "round", failed: 0 });
});
