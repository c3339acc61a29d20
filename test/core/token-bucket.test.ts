import { expect, test } from "bun:test";
import { createRateLimit } from "../../src/client/inbound/rate-limit.ts";
import { createTokenBucket } from "../../src/core/limits/token-bucket.ts";
import { createFakeClock } from "../helpers/clock.ts";

/** A pace whose time is told. */
function paced(perSecond: number, burst: number) {
  const time = { ms: 1_000_000.7 };
  return { time, pace: createTokenBucket({ perSecond, burst, now: () => time.ms }) };
}

/** How many of so many things pass. */
const passed = (pace: (key: string) => number, key: string, times: number) =>
  Array.from({ length: times }, () => pace(key)).filter((wait) => wait === 0).length;

test.each([
  [500, 1000],
  [3, 6],
  [450.5, 450.5],
])("at %d a second, %d pass at once, and then that many every second", (perSecond, burst) => {
  const { time, pace } = paced(perSecond, burst);
  expect(passed(pace, "a", 3000)).toBe(Math.floor(burst));
  time.ms += 1000;
  expect(passed(pace, "a", 3000)).toBeWithin(Math.floor(perSecond), Math.ceil(perSecond) + 2);
  time.ms += 1_000_000;
  expect(passed(pace, "a", 3000)).toBe(Math.floor(burst));
});

test("a request after the given wait passes, and one before it does not", () => {
  const { time, pace } = paced(10, 20);
  expect(passed(pace, "a", 20)).toBe(20);
  const wait = pace("a");
  expect(wait).toBeCloseTo(100);
  time.ms += wait - 1;
  expect(pace("a")).toBeCloseTo(1);
  time.ms += 1;
  expect(pace("a")).toBe(0);
});

test("one key at its limit does not slow another", () => {
  const { pace } = paced(10, 20);
  expect(passed(pace, "a", 100)).toBe(20);
  expect(passed(pace, "b", 100)).toBe(20);
});

test("a flood from 100,000 addresses is forgotten, the most recent ones last", () => {
  const { pace } = paced(1, 2);
  for (let i = 0; i < 100_000; i++) pace(`forged ${i}`);
  expect(passed(pace, "a", 100)).toBe(2);
  for (let i = 0; i < 4000; i++) pace(`again ${i}`);
  expect(passed(pace, "a", 100)).toBe(0);
});

test("a sender who is refused often is reported after a second, then every 10 s; one who waits as told is not", async () => {
  const clock = createFakeClock();
  const told: [string, number][] = [];
  const limit = createRateLimit({
    perSecond: 100,
    clock,
    onExcess: (source, count) => told.push([source, count]),
  });
  for (let i = 0; i < 250; i++) limit.delay("mallory");
  for (let i = 0; i < 201; i++) limit.delay("alice");
  expect(told).toEqual([]);
  await clock.pass(1000);
  expect(told).toEqual([["mallory", 50]]);
  for (let i = 0; i < 150; i++) limit.delay("mallory");
  await clock.pass(9999);
  expect(told).toHaveLength(1);
  await clock.pass(1);
  expect(told).toEqual([
    ["mallory", 50],
    ["mallory", 50],
  ]);
});
