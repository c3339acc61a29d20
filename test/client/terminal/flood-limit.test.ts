import { expect, test } from "bun:test";
import { createFloodLimit } from "../../../src/client/terminal/view/flood-limit.ts";
import { createFakeClock } from "../../helpers/clock.ts";

function setUp() {
  const clock = createFakeClock();
  const told: [string | undefined, number][] = [];
  return { clock, told, floodLimit: createFloodLimit(clock, (...more) => told.push(more)) };
}

test("a burst of 200 rows is drawn", () => {
  const { told, floodLimit } = setUp();
  for (let i = 0; i < 200; i++) expect(floodLimit.admits("bob", 1)).toBe(true);
  expect(floodLimit.admits("bob", 1)).toBe(false);
  floodLimit.flush();
  expect(told).toEqual([["bob", 1]]);
});

test("of 1,000 messages a second 20 rows of a sender are drawn each second after that, and all others counted", async () => {
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
  const later = rows.filter((at) => at >= 1000);
  const busiest = later.map((from) => later.filter((at) => at >= from && at < from + 1000).length);
  expect(drawn + counted).toBe(5000);
  expect(Math.max(...busiest)).toBeLessThanOrEqual(22);
  expect(drawn).toBeGreaterThan(200 + 4 * 15);
});

test("what is counted are the last messages so far, so that :last shows them", async () => {
  const { clock, floodLimit, told } = setUp();
  const drawn: boolean[] = [];
  for (let i = 0; i < 500; i++) drawn.push(floodLimit.admits("bob", 1));
  await clock.pass(1000);
  expect(told).toEqual([["bob", 300]]);
  expect(drawn.slice(-300).some(Boolean)).toBe(false);
});

test("nobody pays for another sender", () => {
  const { floodLimit } = setUp();
  for (let i = 0; i < 1000; i++) floodLimit.admits("mallory", 1);
  expect(floodLimit.admits("bob", 1)).toBe(true);
});

test("a long message is drawn whole or not at all", async () => {
  const { clock, floodLimit, told } = setUp();
  expect(floodLimit.admits("bob", 150)).toBe(true);
  expect(floodLimit.admits("bob", 60)).toBe(false);
  await clock.pass(1000);
  expect(told).toEqual([["bob", 1]]);
  expect(floodLimit.admits("bob", 60)).toBe(true);
});

test("any number of names is counted as a few", async () => {
  const { clock, floodLimit, told } = setUp();
  let drawn = 0;
  for (let i = 0; i < 10_000; i++) if (floodLimit.admits(`user-${i}`, 1)) drawn++;
  await clock.pass(1000);
  expect(told).toEqual([[undefined, 10_000 - drawn]]);
  expect(drawn).toBeLessThanOrEqual(220);
});
