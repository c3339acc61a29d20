/**
 * Every command stops on a signal to its process group: `bun scripts/checks/signals.ts [clients] [registries]`.
 *
 * That is what Ctrl-C in a pipe and systemd send. By default 50 clients per protocol and signal, and 50 registries per
 * signal, all under `bun run`, which passes the signal on. Exits 1 if one did not exit 0 within 3 s, or a client stayed
 * registered.
 */
import { PROTOCOLS } from "../../src/core/protocol.ts";
import { startGroup, stopGroups } from "../../test/helpers/group.ts";
import { listed } from "../../test/helpers/program.ts";
import { progress } from "./shared/progress.ts";

/** More would only measure how fast this machine starts processes. */
const AT_ONCE = 10;

const [clients = 50, registries = 50] = process.argv.slice(2).map(Number);
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const faults: string[] = [];

const home = await startGroup(["registry", "--port", "0", "--store", "memory:"], /^registry at (\S+),/);
process.on("exit", () => home.kill("SIGKILL"));
const url = home.found;

for (const signal of signals) {
  for (const protocol of Object.keys(PROTOCOLS)) {
    await inBatches(`clients on ${protocol}, ${signal}`, clients, signal, (i) =>
      startGroup(
        ["client", "--registry", url, "--port", "0", "--protocol", protocol, "--name", `user-${i}`],
        /^(user-\d+) .*\(you\)$/,
      ),
    );
    const left = Object.keys(await listed({ url }));
    if (left.length > 0) faults.push(`${left.length} clients on ${protocol} stayed after ${signal}`);
    for (const name of left) await fetch(`${url}/v1/users/${name}`, { method: "DELETE" });
  }
  await inBatches(`registries, ${signal}`, registries, signal, () =>
    startGroup(["registry", "--port", "0", "--store", "memory:"], /^registry at (\S+),/),
  );
}

async function inBatches(
  what: string,
  count: number,
  signal: NodeJS.Signals,
  open: (i: number) => ReturnType<typeof startGroup>,
): Promise<void> {
  let bad = 0;
  let slowest = 0;
  for (let done = 0; done < count; done += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - done);
    const groups = await Promise.all(Array.from({ length: size }, (_, i) => open(done + i)));
    const ends = await stopGroups(groups, signal);
    bad += ends.filter(({ code, ms }) => code !== 0 || ms > 3000).length;
    slowest = Math.max(slowest, ...ends.map(({ ms }) => ms));
    progress(done + size, count);
  }
  process.stdout.write(`${count} ${what}: ${bad} not well, the slowest took ${Math.round(slowest)} ms\n`);
  if (bad > 0) faults.push(`${bad} of ${count} ${what} did not exit 0 within 3 s`);
}

for (const fault of faults) process.stdout.write(`fault: ${fault}\n`);
process.exit(faults.length === 0 ? 0 : 1);
