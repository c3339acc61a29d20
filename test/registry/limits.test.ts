/** How many users one source may register. */
import { describe, expect, test } from "bun:test";
import { createApp } from "../../src/registry/http/app.ts";
import {
  blockOf,
  createRegistrationLimits,
  type RegistrationLimits,
} from "../../src/registry/http/limits.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { listen, openTestStore } from "../helpers/registry.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };
const MALLORY = "10.0.0.66";

/** Limits over users who are there once they are stored, unless they left. */
function withClock() {
  const clock = createFakeClock();
  const there = new Set<string>();
  const gone = new Set<string>();
  const isLive = (user: string) => there.has(user) && !gone.has(user);
  const { within } = createRegistrationLimits({ isLive, clock });
  const limits: RegistrationLimits = {
    async within(user, source, store) {
      const result = await within(user, source, store);
      if (result === "done") there.add(user);
      return result;
    },
  };
  return { clock, gone, limits };
}

/** How many of so many new users get in, one after the other. */
async function admitted(limits: RegistrationLimits, source: string, names: string[]): Promise<number> {
  let count = 0;
  for (const name of names) {
    await Promise.try(() => limits.within(name, source, () => "done")).then(
      () => count++,
      () => {},
    );
  }
  return count;
}

function names(count: number, prefix = "user"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}

describe("one source", () => {
  test("may register 60 new users at once, and one more every second", async () => {
    const { clock, limits } = withClock();
    expect(await admitted(limits, MALLORY, names(100))).toBe(60);
    await clock.pass(10_000);
    expect(await admitted(limits, MALLORY, names(100, "more"))).toBe(10);
    await clock.pass(3_600_000);
    expect(await admitted(limits, MALLORY, names(100, "later"))).toBe(60);
  });

  test("is told how long to wait", async () => {
    const { clock, limits } = withClock();
    await admitted(limits, MALLORY, names(60));
    await clock.pass(300);
    expect(limits.within("bob", MALLORY, () => "done")).rejects.toMatchObject({ retryAfter: 1 });
  });

  test("is not charged for users who were not new or could not be stored", async () => {
    const { limits } = withClock();
    for (const name of names(100)) expect(await limits.within(name, MALLORY, () => "taken")).toBe("taken");
    const failing = () => Promise.reject(new Error("the store is down"));
    for (const name of names(100)) await limits.within(name, MALLORY, failing).catch(() => {});
    expect(await admitted(limits, MALLORY, names(100))).toBe(60);
  });

  test("cannot exceed the limit with concurrent requests", async () => {
    const { limits } = withClock();
    const asked = names(100).map((name) => limits.within(name, MALLORY, async () => "done"));
    const answers = await Promise.allSettled(asked);
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(60);
  });

  test("may have 1,000 users at a time, and replace those who left", async () => {
    const { clock, gone, limits } = withClock();
    for (let minute = 0; minute < 20; minute++) {
      await admitted(limits, MALLORY, names(60, `user-${minute}`));
      await clock.pass(60_000);
    }
    expect(await admitted(limits, MALLORY, names(1, "one-more"))).toBe(0);
    expect(limits.within("bob", MALLORY, () => "done")).rejects.toMatchObject({ retryAfter: 180 });
    for (const name of names(5, "user-0")) gone.add(name);
    expect(await admitted(limits, MALLORY, names(10, "next"))).toBe(5);
  });

  test("does not use up another's limit", async () => {
    const { limits } = withClock();
    await admitted(limits, MALLORY, names(100));
    expect(await admitted(limits, "10.0.0.7", names(60, "other"))).toBe(60);
  });
});

test("this machine has no limit", async () => {
  const { limits } = withClock();
  for (const source of ["127.0.0.1", "::1", "127.0.0.2", "::ffff:127.0.0.1"])
    expect(await admitted(limits, source, names(2000))).toBe(2000);
});

test.each([
  ["10.0.0.5", "10.0.0.5"],
  ["::ffff:10.0.0.5", "10.0.0.5"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::9", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::9", "0:0:0:0::/64"],
])("%s counts as %s", (ip, block) => expect(blockOf(ip)).toBe(block));

test("beyond 10,000 sources, the one that has been quiet the longest is forgotten", async () => {
  const { limits } = withClock();
  await admitted(limits, MALLORY, names(60));
  for (let i = 0; i < 9_999; i++) await limits.within(`x-${i}`, `10.1.${i >> 8}.${i & 255}`, () => "done");
  expect(await admitted(limits, MALLORY, names(1, "refused"))).toBe(0);
  for (let i = 0; i < 10_000; i++) await limits.within(`y-${i}`, `10.2.${i >> 8}.${i & 255}`, () => "done");
  expect(await admitted(limits, MALLORY, names(1, "forgotten"))).toBe(1);
});

describe("over HTTP", () => {
  async function registry(): Promise<string> {
    const store = await openTestStore("memory:");
    const isLive = async (user: string) => Boolean(await store.get(user));
    const limits = createRegistrationLimits({ isLive, clock: createFakeClock(), exempt: () => false });
    return listen(createApp({ store, limits }));
  }

  const post = (base: string, user: string) =>
    fetch(`${base}/v1/users`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user, address: HERE }),
    });
  const put = (base: string, user: string) =>
    fetch(`${base}/v1/users/${user}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(HERE),
    });

  test("the 61st new user gets 429 with Retry-After, by POST and by PUT, and is not registered", async () => {
    const base = await registry();
    for (const name of names(30, "post")) expect((await post(base, name)).status).toBe(200);
    for (const name of names(30, "put")) expect((await put(base, name)).status).toBe(200);
    for (const ask of [post, put]) {
      const answer = await ask(base, "mallory");
      expect([answer.status, answer.headers.get("retry-after"), await answer.json()]).toEqual([
        429,
        "1",
        {
          status: "error",
          message: "Too many users were registered from your address; try again in 1 s.",
        },
      ]);
    }
    expect((await fetch(`${base}/v1/users/mallory`)).status).toBe(404);
  });

  test("existing users still move, are refused as taken, and leave", async () => {
    const base = await registry();
    for (const name of names(60)) await post(base, name);
    for (let i = 0; i < 100; i++) expect((await put(base, "user-0")).status).toBe(200);
    expect((await post(base, "user-0")).status).toBe(409);
    expect((await fetch(`${base}/v1/users/user-0`, { method: "DELETE" })).status).toBe(200);
  });

  test("requests for taken names do not count", async () => {
    const base = await registry();
    for (let i = 0; i < 100; i++) expect((await post(base, "bob")).status).toBe(i === 0 ? 200 : 409);
    for (const name of names(59)) expect((await post(base, name)).status).toBe(200);
  });
});
