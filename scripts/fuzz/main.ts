/**
 * Fuzzes a registry and a client per protocol: `bun scripts/fuzz/main.ts [seed] [scale]`. Scale 1 sends 100,000 requests to
 * the registry and 20,000 to a client, 100,000 WebSocket frames and 1,000,000 datagrams. Exits 1 on a 5xx, a hang over
 * 15 s, a crash, an error message, more than 10 MB of memory growth after the first fifth (only from scale 1 on), or a
 * wrong state afterwards.
 */

import { givenNumbers, tell } from "../checks/shared/figure.ts";
import { clientDocument } from "./client-api.ts";
import { DATAGRAMS_PER_ATTEMPT, datagramsAttempt } from "./datagrams.ts";
import { FRAMES_PER_CONNECTION, framesAttempt } from "./frames.ts";
import { httpAttempt } from "./http.ts";
import { createRequests } from "./requests.ts";
import { type Result, type RunOptions, run } from "./run.ts";
import { clientFaults, registryFaults } from "./state.ts";
import { startTarget, type Target } from "./target.ts";

const MAX_GROWTH_MB = 10;

const [seed = 1, scale = 1] = givenNumbers();
/** How long to watch for the least memory, in milliseconds. A short run proves nothing about memory. */
const calmMs = scale < 1 ? 0 : 3000;
process.env.NO_PROXY = "*";

const registry = await startTarget("the registry", "src/registry/main.ts", [
  ...["--store", "memory:", "--port", "0", "--quiet"],
  // Never contact the users that the fuzzing registers.
  ...["--check-interval", "86400"],
]);
const document: unknown = await (await fetch(`${registry.url.origin}/swagger/json`)).json();
/** Faults in the state after the fuzzing. */
const wrong: string[] = [];
let faultCount = 0;

await fuzz(registry, "HTTP requests to the registry", {
  count: 100_000,
  lanes: 100,
  attempt: httpAttempt(registry.url, createRequests(document)),
});
wrong.push(...(await registryFaults(registry.url)));
for (const protocol of ["HTTP", "WEBSOCKET", "UDP"] as const) {
  const self = ["--name", protocol, "--protocol", protocol, "--port", "0"];
  const args = [...self, "--registry", registry.url.origin, "--rate-limit", "0"];
  const client = await startTarget(`the client on ${protocol}`, "src/client/main.ts", args);
  switch (protocol) {
    case "HTTP": {
      const attempt = httpAttempt(client.url, createRequests(clientDocument));
      await fuzz(client, "HTTP requests to a client", { count: 20_000, lanes: 100, attempt });
      break;
    }
    case "WEBSOCKET": {
      const attempt = framesAttempt(client.url);
      const each = FRAMES_PER_CONNECTION;
      await fuzz(client, "WebSocket frames to a client", { count: 100_000, each, lanes: 20, attempt });
      break;
    }
    case "UDP": {
      const attempt = await datagramsAttempt(client.url);
      const each = DATAGRAMS_PER_ATTEMPT;
      await fuzz(client, "datagrams to a client", { count: 1_000_000, each, lanes: 1, attempt });
    }
  }
  wrong.push(...(await clientFaults(client, protocol)));
  await client.stop();
}
await registry.stop();
tell({
  what: "registry and clients after the fuzzing",
  asked: "registering, moving, leaving and messages on each protocol still work",
  seen: counted(wrong),
  held: wrong.length === 0,
});
process.stderr.write(`${faultCount} faults with seed ${seed}\n`);
process.exit();

interface Plan {
  count: number;
  /** Cases per attempt. @default 1 */
  each?: number;
  lanes: number;
  attempt: RunOptions["attempt"];
}

async function fuzz(target: Target, name: string, { count, each = 1, lanes, attempt }: Plan) {
  const attempts = Math.ceil((count / each) * scale);
  let before = 0;
  const result = await run({
    name,
    seed,
    count: attempts,
    lanes,
    attempt,
    warm: async () => {
      before = await target.megabytes(calmMs);
    },
  });
  const after = await target.megabytes(calmMs);
  report(result);
  const faults = Array.from(result.faults, ([fault, caseSeed]) => `${fault.slice(1)} in case ${caseSeed}`);
  faults.push(...target.faults());
  const judged = scale >= 1;
  tell({
    what: `${(attempts * each).toLocaleString("en")} fuzzed ${name}, seed ${seed}`,
    asked: `no 5xx, crash, complaint or hang over 15 s${judged ? `; at most ${MAX_GROWTH_MB} MB more than after a fifth` : ""}`,
    seen: `${counted(faults)}; ${before.toFixed(1)} → ${after.toFixed(1)} MB`,
    held: faults.length === 0 && !(judged && after - before > MAX_GROWTH_MB),
  });
}

/** Summarizes faults, and lists them on stderr. */
function counted(faults: string[]): string {
  faultCount += faults.length;
  for (const fault of faults) process.stderr.write(`FAULT: ${fault}\n`);
  return faults.length === 0 ? "0 faults" : `${faults.length} faults, such as: ${faults[0]}`;
}

/** Reports how the cases ended, which shows what the fuzzing reaches. */
function report({ name, endings, seconds }: Result): void {
  const counts = [...endings].sort(([, a], [, b]) => b - a).map(([ending, times]) => `${ending} ×${times}`);
  process.stderr.write(`${name}: ${seconds.toFixed(1)} s; ${counts.join(", ")}\n`);
}
