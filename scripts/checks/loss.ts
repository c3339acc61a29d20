/**
 * The checker copes with a bad network: `bun scripts/checks/loss.ts [rounds] [seed]`.
 *
 * Three UDP clients behind a relay that loses, delays, duplicates and reorders datagrams in both directions. Exits 1 if
 * one of them was removed.
 */
import { transports } from "../../src/client/transports/index.ts";
import { systemClock } from "../../src/core/clock.ts";
import { createChecker } from "../../src/registry/health/checker.ts";
import { openProbers } from "../../src/registry/health/probers.ts";
import { openStore } from "../../src/registry/stores/index.ts";
import { createRandom } from "../../test/helpers/random.ts";
import { progress } from "./shared/progress.ts";

const HOST = "127.0.0.1";
const INTERVAL_MS = 200;
const WINDOW_MS = 4000;
/** What happens to datagrams in each direction; the delays also reorder them. */
const PATH = { lost: 0.3, doubled: 0.1, delayMs: 60 };

const rounds = Number(process.argv[2] ?? 200);
const random = createRandom(Number(process.argv[3] ?? 1));
const counts = { passed: 0, lost: 0, doubled: 0 };

const store = await openStore("memory:");
for (let i = 0; i < 3; i++) {
  const client = await transports.UDP.listen({
    host: HOST,
    port: 0,
    onMessage() {},
    advertised: (port) => ({ protocol: "UDP", host: HOST, port }),
    registryIps: [HOST],
  });
  await store.put(`client-${i}`, { protocol: "UDP", host: HOST, port: await openRelay(client.port) });
}

const removed: string[] = [];
let checks = 0;
const { proberFor, close } = await openProbers();
const checker = createChecker({
  store,
  proberFor(address) {
    checks++;
    return proberFor(address);
  },
  log: (event) => void (event.type === "removed" && removed.push(event.user)),
  interval: INTERVAL_MS,
  window: WINDOW_MS,
  clock: systemClock,
  random,
});
checker.start();
while (checks < 3 * rounds && removed.length === 0) {
  await Bun.sleep(100);
  progress(Math.min(Math.floor(checks / 3), rounds), rounds, "rounds");
}
checker.stop();
close();
process.stdout.write(`datagrams: ${counts.passed} passed, ${counts.lost} lost, ${counts.doubled} doubled\n`);
process.stdout.write(`removed in ${rounds} rounds of 3 clients: ${removed.length}\n`);
process.exit(removed.length === 0 ? 0 : 1);

/** A port in place of a client's. In each probe it replaces the registry's reply port with its own, to relay answers. */
async function openRelay(clientPort: number): Promise<number> {
  let registryPort = 0;
  const back = await Bun.udpSocket({
    hostname: HOST,
    socket: { data: (_, datagram) => carry(() => back.send(datagram, registryPort, HOST)), error() {} },
  });
  const there = await Bun.udpSocket({
    hostname: HOST,
    socket: {
      data(_, datagram) {
        const message = JSON.parse(datagram.toString());
        const probe = JSON.parse(message.text);
        registryPort = probe.port;
        const text = JSON.stringify({ ...probe, port: back.port });
        carry(() => back.send(JSON.stringify({ ...message, text }), clientPort, HOST));
      },
      error() {},
    },
  });
  return there.port;
}

function carry(send: () => void): void {
  if (random() < PATH.lost) {
    counts.lost++;
    return;
  }
  counts.passed++;
  setTimeout(send, random() * PATH.delayMs);
  if (random() >= PATH.doubled) return;
  counts.doubled++;
  setTimeout(send, random() * PATH.delayMs);
}
