/** Whose message it is: by where it came from. */
import { describe, expect, test } from "bun:test";
import { createSenderCheck } from "../../src/client/inbound/sender-check.ts";
import type { Users } from "../../src/client/registry/types.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { listed, startClient, startRegistry } from "../helpers/program.ts";

const HOST = "127.0.0.1";

function list(hosts: Record<string, string>): Users {
  return new Map(Object.entries(hosts).map(([user, host]) => [user, { protocol: "UDP", host, port: 3000 }]));
}

/** A check on a list that the test writes, with the names of a name server. */
function setUp(hosts: Record<string, string>, names: Record<string, string[]> = {}) {
  const clock = createFakeClock();
  const counts = { lists: 0, lookups: 0 };
  const { learn, doubt } = createSenderCheck({
    async refresh() {
      counts.lists++;
    },
    clock,
    async resolve(host) {
      counts.lookups++;
      return names[host] ?? Promise.reject(new Error("ENOTFOUND"));
    },
  });
  learn(list(hosts));
  return { clock, counts, learn, doubt, lookedUp: () => Bun.sleep(0) };
}

describe("a sender", () => {
  test.each([
    ["10.0.0.5", "10.0.0.5"],
    ["10.0.0.5", "::ffff:10.0.0.5"],
    ["fd00::5", "fd00:0::5"],
    ["127.0.0.1", "127.0.0.2"],
    ["127.0.0.1", "::1"],
    ["localhost", "127.0.0.1"],
    ["bob.example", "10.0.0.6"],
  ])("registered at %s fits %s", async (host, source) => {
    const { doubt, lookedUp } = setUp({ bob: host }, { "bob.example": ["10.0.0.5", "10.0.0.6"] });
    await lookedUp();
    expect(doubt("bob", source)).toBeUndefined();
  });

  test.each([
    ["10.0.0.5", "10.0.0.9"],
    ["10.0.0.5", HOST],
    [HOST, "10.0.0.9"],
    ["fd00::5", "fd00::6"],
    ["bob.example", "10.0.0.9"],
    ["no.example", "10.0.0.9"],
  ])("registered at %s is doubtful from %s, and why is told", async (host, source) => {
    const { doubt, lookedUp } = setUp({ bob: host }, { "bob.example": ["10.0.0.5"] });
    await lookedUp();
    expect(doubt("bob", source)).toBe(`bob? wrote from ${source}, but bob is registered at ${host}`);
  });

  test("who is not registered fits, as scripts that only send do, and has us ask for the list once", () => {
    const { doubt, counts, learn } = setUp({});
    expect(doubt("eve", HOST)).toBeUndefined();
    expect(doubt("eve", HOST)).toBeUndefined();
    expect(counts.lists).toBe(1);
    learn(list({ eve: "10.0.0.7" }));
    expect(doubt("eve", HOST)).toContain("but eve is registered at 10.0.0.7");
  });

  test("who has moved since the last list is doubtful until the next, which is asked for at once", () => {
    const { doubt, counts, learn } = setUp({ bob: "10.0.0.5" });
    expect(doubt("bob", "10.0.0.9")).toContain("but bob is registered at 10.0.0.5");
    expect(counts.lists).toBe(1);
    learn(list({ bob: "10.0.0.9" }));
    expect(doubt("bob", "10.0.0.9")).toBeUndefined();
    expect(counts.lists).toBe(1);
  });

  test("a flood of strangers makes us ask for the list five times, and then once in 5 s", async () => {
    const { doubt, counts, clock } = setUp({});
    for (let i = 0; i < 100; i++) doubt(`eve${i}`, "10.0.0.9");
    expect(counts.lists).toBe(5);
    await clock.pass(5000);
    for (let i = 0; i < 100; i++) doubt(`mallory${i}`, "10.0.0.9");
    expect(counts.lists).toBe(6);
  });

  test("has its host name looked up when the list comes, and again a minute later, in the background", async () => {
    const names = { "bob.example": ["10.0.0.5"] };
    const { doubt, counts, clock, lookedUp } = setUp({ bob: "bob.example" }, names);
    await lookedUp();
    for (let i = 0; i < 3; i++) expect(doubt("bob", "10.0.0.5")).toBeUndefined();
    expect(counts.lookups).toBe(1);
    await clock.pass(60_000);
    names["bob.example"] = ["10.0.0.6"];
    expect(doubt("bob", "10.0.0.5")).toBeUndefined();
    await lookedUp();
    expect(counts.lookups).toBe(2);
    expect(doubt("bob", "10.0.0.6")).toBeUndefined();
    expect(doubt("bob", "10.0.0.5")).toContain("but bob is registered at bob.example");
  });

  test("whose name server is silent is doubtful, at once, and no more than two lookups are under way", () => {
    let lookups = 0;
    const { learn, doubt } = createSenderCheck({
      refresh: async () => {},
      clock: createFakeClock(),
      resolve() {
        lookups++;
        return new Promise(() => {});
      },
    });
    learn(list({ bob: "bob.example", carol: "carol.example", dave: "dave.example" }));
    for (const user of ["bob", "carol", "dave", "bob"]) {
      expect(doubt(user, "10.0.0.5")).toBe(
        `${user}? wrote from 10.0.0.5, and ${user}'s address could not be verified`,
      );
    }
    expect(lookups).toBe(2);
  });
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
    // Who has come since the last list is none; that she has is told as soon as it is known.
    const carol = await startClient("carol", registry);
    carol.type(":user alice", "hello");
    await Promise.all([alice.sees("carol joined"), alice.sees("carol: hello")]);
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
