import { expect, test } from "bun:test";
import { createFloodLimit } from "../../../src/client/terminal/view/flood-limit.ts";
import { createFakeClock } from "../../helpers/clock.ts";

function setUp() {
  const clock = createFakeClock();
  const told: [string, number][] = [];
  return { clock, told, floodLimit: createFloodLimit(clock, (...more) => told.push(more)) };
}

test("of 1,000 messages a second at most 20 rows of a sender are drawn in any second, and all others counted", async () => {
  const { clock, told, floodLimit } = setUp();
  /** When a row was drawn, that of a count too. */
  const rows: number[] = [];
  let drawn = 0;
  for (let ms = 0; ms < 5000; ms++) {
    if (floodLimit.admits("bob", 1)) {
      drawn++;
      rows.push(ms);
    }
    await clock.pass(1);
    while (rows.length < drawn + told.length) rows.push(ms);
  }
  floodLimit.flush();
  const counted = told.reduce((sum, [, count]) => sum + count, 0);
  const busiest = rows.map((from) => rows.filter((at) => at >= from && at < from + 1000).length);
  expect(drawn + counted).toBe(5000);
  expect(Math.max(...busiest)).toBeLessThanOrEqual(20);
});

test("nobody pays for another sender", () => {
  const { floodLimit } = setUp();
  for (let i = 0; i < 100; i++) floodLimit.admits("mallory", 1);
  expect(floodLimit.admits("bob", 1)).toBe(true);
});

test("a long message is drawn whole, and its sender waits for it afterwards", async () => {
  const { clock, floodLimit, told } = setUp();
  expect(floodLimit.admits("bob", 57)).toBe(true);
  await clock.pass(1500);
  expect(floodLimit.admits("bob", 1)).toBe(false);
  await clock.pass(1600);
  expect(told).toEqual([["bob", 1]]);
  expect(floodLimit.admits("bob", 1)).toBe(true);
});

test("any number of names is counted as a few", async () => {
  const { clock, floodLimit, told } = setUp();
  let drawn = 0;
  for (let i = 0; i < 1000; i++) if (floodLimit.admits(`user-${i}`, 1)) drawn++;
  await clock.pass(1000);
  expect(told).toEqual([["other users", 1000 - drawn]]);
  expect(drawn).toBeLessThan(60);
});
