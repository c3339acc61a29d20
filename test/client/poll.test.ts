import { expect, test } from "bun:test";
import { startPolling } from "../../src/client/registry/poll-list.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { createRandom } from "../helpers/random.ts";

const INTERVAL = 150_000;
const HOUR = 3_600_000;

/** Polls a registry that answers when `up` says so, and notes when it was asked, in milliseconds. */
function poll(up: (now: number) => boolean) {
  const clock = createFakeClock();
  const asked: number[] = [];
  const stop = startPolling({
    async ask() {
      asked.push(clock.now());
      return up(clock.now());
    },
    interval: INTERVAL,
    clock,
    random: createRandom(1),
  });
  const waits = () => asked.slice(1).map((at, i) => (at - (asked[i] ?? 0)) / 1000);
  return { clock, asked, waits, stop };
}

test("every wait is 120 to 180 s, for a day", async () => {
  const { clock, asked, waits } = poll(() => true);
  await clock.pass(24 * HOUR);
  expect(asked.length).toBeGreaterThan(500);
  expect(Math.min(asked[0] ?? 0, ...waits().map((wait) => wait * 1000))).toBeGreaterThanOrEqual(120_000);
  expect(Math.max(...waits())).toBeLessThanOrEqual(180);
  expect(Math.max(...waits()) - Math.min(...waits())).toBeGreaterThan(50);
});

test("while the registry is away the waits grow from seconds to the interval, and shrink when it is back", async () => {
  const { clock, asked, waits } = poll((now) => now < HOUR || now > 2 * HOUR);
  await clock.pass(3 * HOUR);
  const first = asked.findIndex((at) => at >= HOUR);
  const away = waits().slice(first, first + 8);
  expect(away[0]).toBeLessThan(6);
  for (const [i, wait] of away.slice(0, 4).entries()) expect(away[i + 1]).toBeGreaterThan(wait * 1.2);
  expect(Math.max(...waits())).toBeLessThanOrEqual(180);
  const back = asked.find((at) => at > 2 * HOUR) ?? 0;
  expect(back - 2 * HOUR).toBeLessThanOrEqual(180_000);
});

test("stops when it is told to", async () => {
  const { clock, asked, stop } = poll(() => true);
  stop();
  await clock.pass(HOUR);
  expect(asked).toEqual([]);
});
