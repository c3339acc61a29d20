/** CPU time of the checker itself per check, in µs: `bun checking.ts <clients>`. */
import { systemClock } from "../../src/core/clock.ts";
import { createChecker } from "../../src/registry/health/checker.ts";
import { openStore } from "../../src/registry/stores/index.ts";

/** Checks measured; the checker is started as often as needed to make this many. */
const CHECKS = 200_000;

/** Longer than any run, so that each client is checked only once, at the start. */
const INTERVAL_MS = 3_600_000;

const clients = Number(process.argv[2]);
const store = await openStore("memory:");
for (let i = 0; i < clients; i++)
  await store.put(`user-${i}`, { protocol: "UDP", host: "10.0.0.5", port: 1024 + (i % 60_000) });

await checkAll();
const began = process.cpuUsage();
for (let round = 0; round < CHECKS / clients; round++) await checkAll();
const { user, system } = process.cpuUsage(began);
process.stdout.write(`${(user + system) / CHECKS}\n`);
process.exit(0);

async function checkAll(): Promise<void> {
  const done = Promise.withResolvers<void>();
  let ended = 0;
  const checker = createChecker({
    store,
    proberFor: () => ({
      attempts: 1,
      begin: () => ({
        probe: () => Promise.resolve("alive"),
        end() {
          if (++ended === clients) done.resolve();
        },
      }),
    }),
    log() {},
    interval: INTERVAL_MS,
    window: INTERVAL_MS,
    clock: systemClock,
    random: Math.random,
  });
  checker.start();
  await done.promise;
  checker.stop();
}
