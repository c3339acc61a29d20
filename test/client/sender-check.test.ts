/** Whose message it is: by where it came from. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createReception } from "../../src/client/inbound/reception.ts";
import { createSenderCheck } from "../../src/client/inbound/sender-check.ts";
import type { Users } from "../../src/client/registry/listed-users.ts";
import type { Msg } from "../../src/client/session/model.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { listed, startClient, startRegistry } from "../helpers/program.ts";

// Processes take longer than Bun's 5 s on a busy machine.
setDefaultTimeout(30_000);

const HOST = "127.0.0.1";

function list(hosts: Record<string, string>): Users {
  return new Map(Object.entries(hosts).map(([user, host]) => [user, { protocol: "UDP", host, port: 3000 }]));
}

/** A check on a list that the test writes, with the names of a name server. */
function setUp(hosts: Record<string, string>, names: Record<string, string[]> = {}) {
  const clock = createFakeClock();
  const counts = { lists: 0, lookups: 0 };
  const known = { users: list(hosts), next: undefined as Users | undefined };
  const check = createSenderCheck({
    users: () => known.users,
    async refresh() {
      counts.lists++;
      if (known.next) known.users = known.next;
    },
    clock,
    async resolve(host) {
      if (/^[\d.:a-f]+$/.test(host)) return [host];
      counts.lookups++;
      return names[host] ?? Promise.reject(new Error("ENOTFOUND"));
    },
  });
  return {
    clock,
    counts,
    known,
    check: async (user: string, source: string) => check(user, source),
    now: check,
  };
}

describe("a sender", () => {
  test.each([
    ["10.0.0.5", "10.0.0.5"],
    ["10.0.0.5", "::ffff:10.0.0.5"],
    ["fd00::5", "fd00:0::5"],
    ["127.0.0.1", "127.0.0.2"],
    ["127.0.0.1", "::1"],
    ["bob.example", "10.0.0.6"],
  ])("registered at %s fits %s", async (host, source) => {
    const { check } = setUp({ bob: host }, { "bob.example": ["10.0.0.5", "10.0.0.6"] });
    expect(await check("bob", source)).toBeUndefined();
  });

  test.each([
    ["10.0.0.5", "10.0.0.9"],
    ["10.0.0.5", HOST],
    [HOST, "10.0.0.9"],
    ["fd00::5", "fd00::6"],
    ["bob.example", "10.0.0.9"],
    ["no.example", "10.0.0.9"],
  ])("registered at %s is doubtful from %s, and why is told", async (host, source) => {
    const { check } = setUp({ bob: host }, { "bob.example": ["10.0.0.5"] });
    expect(await check("bob", source)).toBe(`bob? wrote from ${source}, but bob is registered at ${host}`);
  });

  test("who is not registered fits, as scripts that only send do, unless the next list says otherwise", async () => {
    const { check, known } = setUp({});
    expect(await check("eve", HOST)).toBeUndefined();
    known.next = list({ carol: "10.0.0.7" });
    expect(await check("carol", HOST)).toContain("but carol is registered at 10.0.0.7");
  });

  test("who has registered or moved since the last list fits", async () => {
    const { check, known } = setUp({ bob: "10.0.0.5" });
    known.next = list({ bob: "10.0.0.9", carol: "10.0.0.7" });
    expect(await check("bob", "10.0.0.9")).toBeUndefined();
    expect(await check("carol", "10.0.0.7")).toBeUndefined();
  });

  test("a flood of strangers makes us ask for the list five times, and then once in 5 s", async () => {
    const { check, counts, clock } = setUp({});
    for (let i = 0; i < 100; i++) await check(`eve${i}`, "10.0.0.9");
    expect(counts.lists).toBe(5);
    await clock.pass(5000);
    for (let i = 0; i < 100; i++) await check(`mallory${i}`, "10.0.0.9");
    expect(counts.lists).toBe(6);
  });

  test("is judged at once the second time, on the same list and for a minute", async () => {
    const { check, now, counts, clock, known } = setUp(
      { bob: "bob.example" },
      { "bob.example": ["10.0.0.5"] },
    );
    await check("bob", "10.0.0.5");
    expect(now("bob", "10.0.0.5")).toBeUndefined();
    expect(counts.lookups).toBe(1);
    await clock.pass(60_000);
    await check("bob", "10.0.0.5");
    expect(counts.lookups).toBe(2);
    known.users = list({ bob: "10.0.0.6" });
    expect(await check("bob", "10.0.0.5")).toContain("but bob is registered at 10.0.0.6");
  });

  test("whose name server is silent is doubtful after a second, and the next do not wait", async () => {
    const clock = createFakeClock();
    const check = createSenderCheck({
      users: () => list({ bob: "bob.example", carol: "carol.example" }),
      refresh: async () => {},
      clock,
      resolve: () => new Promise(() => {}),
    });
    expect(await check("bob", "10.0.0.5")).toContain("it cannot be found out now");
    const began = performance.now();
    expect(await check("carol", "10.0.0.5")).toContain("it cannot be found out now");
    expect(performance.now() - began).toBeLessThan(900);
  });
});

test("messages keep their order while one waits for a verdict, and no more are taken when many or long ones wait", async () => {
  const told: Msg[] = [];
  const verdicts: ((doubt: string | undefined) => void)[] = [];
  const { take, crowded } = createReception(
    (user) => (user === "slow" ? new Promise((resolve) => void verdicts.push(resolve)) : undefined),
    (event) => told.push(event),
  );
  const say = (user: string, text: string) =>
    take({ type: "message", message: { user, text }, source: "10.0.0.5" });
  const texts = () => told.flatMap((event) => (event.type === "message" ? [event.message.text] : []));
  say("quick", "1");
  say("slow", "2");
  say("quick", "3");
  expect(texts()).toEqual(["1"]);
  verdicts[0]?.("why");
  await Bun.sleep(0);
  expect(texts()).toEqual(["1", "2", "3"]);
  expect(told[1]).toMatchObject({ doubt: "why" });
  say("slow", "4");
  for (let i = 0; i < 999; i++) say("quick", "more");
  expect(crowded()).toBe(false);
  say("quick", "last");
  expect(crowded()).toBe(true);
  verdicts[1]?.(undefined);
  await Bun.sleep(0);
  expect(texts()).toHaveLength(1004);
  expect(crowded()).toBe(false);
  say("slow", "x".repeat(60_000));
  for (let i = 0; i < 17; i++) say("quick", "x".repeat(60_000));
  expect(crowded()).toBe(false);
  say("quick", "x".repeat(60_000));
  expect(crowded()).toBe(true);
});

describe("in a chat", () => {
  async function withBobElsewhere() {
    const registry = await startRegistry();
    const init = { method: "PUT", headers: { "content-type": "application/json" } };
    const bob = { protocol: "UDP", host: "10.0.0.5", port: 3000 };
    await fetch(`${registry.url}/v1/users/bob`, { ...init, body: JSON.stringify(bob) });
    const alice = await startClient("alice", registry);
    const port = /"protocol":"HTTP".*?"port":(\d+)/.exec(JSON.stringify(await listed(registry)))?.[1];
    async function say(user: string, text: string) {
      const answer = await fetch(`http://${HOST}:${port}/v1/message`, {
        ...init,
        method: "POST",
        body: JSON.stringify({ user, text }),
      });
      expect(answer.status).toBe(200);
    }
    return { registry, alice, say };
  }

  test("a doubtful sender has a question mark, once with the reason, and every message is shown", async () => {
    const { registry, alice, say } = await withBobElsewhere();
    for (const text of ["one", "two"]) await say("bob", text);
    await say("alice", "to myself");
    await alice.sees("alice: to myself");
    expect(alice.lines.slice(-4)).toEqual([
      `warning: bob? wrote from ${HOST}, but bob is registered at 10.0.0.5`,
      "bob?: one",
      "bob?: two",
      "alice: to myself",
    ]);
    await say("eve", "hello");
    await alice.sees("eve: hello");
    // Who has come since the last list is none.
    const carol = await startClient("carol", registry);
    carol.type(":user alice", "hello");
    await alice.sees("carol joined");
    await alice.sees("carol: hello");
  });

  test("who joins and writes at once fits", async () => {
    const registry = await startRegistry();
    const alice = await startClient("alice", registry);
    const bob = await startClient("bob", registry, "--protocol", "UDP");
    bob.type(":user alice", "hello");
    await alice.sees("bob: hello");
    expect(alice.lines.filter((line) => line.startsWith("warning"))).toEqual([]);
  });
});
