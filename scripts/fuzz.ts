/**
 * Fuzzes a registry and a client per protocol: `bun scripts/fuzz.ts [seed] [scale]`. At scale 1, 100,000 requests to
 * the registry and 20,000 to a client, 100,000 WebSocket frames and 1,000,000 datagrams. Exits 1 on a 5xx, a hang
 * over 15 s, a crash, a complaint, memory that grew by over 10 MB after the first fifth (judged from scale 1 on), or
 * a wrong state afterwards.
 */

import { clientDocument } from "./fuzz/client-api.ts";
import { DATAGRAMS_PER_ATTEMPT, datagramsAttempt } from "./fuzz/datagrams.ts";
import { FRAMES_PER_CONNECTION, framesAttempt } from "./fuzz/frames.ts";
import { httpAttempt } from "./fuzz/http.ts";
import { createRequests } from "./fuzz/requests.ts";
import { type Result, run } from "./fuzz/run.ts";
import { clientFaults, registryFaults } from "./fuzz/state.ts";
import { startTarget, type Target } from "./fuzz/target.ts";

const MAX_GROWTH_MB = 10;

const [seed = 1, scale = 1] = process.argv.slice(2).map(Number);
/** How long memory is watched for its least, in milliseconds. A short run proves nothing about it. */
const calmMs = scale < 1 ? 0 : 3000;
process.env.NO_PROXY = "*";

const registry = await startTarget("the registry", "src/registry/main.ts", [
  ...["--store", "memory:", "--port", "0", "--quiet"],
  // Nobody whom the fuzzing registers is to be contacted.
  ...["--check-interval", "86400"],
]);
const document: unknown = await (await fetch(`${registry.url.origin}/swagger/json`)).json();
const faults: string[] = [];

await fuzz(registry, "registry, HTTP", 100_000, 100, httpAttempt(registry.url, createRequests(document)));
faults.push(...(await registryFaults(registry.url)));
for (const protocol of ["HTTP", "WEBSOCKET", "UDP"] as const) {
  const name = `the client on ${protocol}`;
  const self = ["--name", protocol, "--protocol", protocol, "--port", "0"];
  const args = [...self, "--registry", registry.url.origin, "--rate-limit", "0"];
  const client = await startTarget(name, "src/client/main.ts", args);
  switch (protocol) {
    case "HTTP":
      await fuzz(
        client,
        "client, HTTP",
        20_000,
        100,
        httpAttempt(client.url, createRequests(clientDocument)),
      );
      break;
    case "WEBSOCKET":
      await fuzz(client, "client, WebSocket", 100_000 / FRAMES_PER_CONNECTION, 20, framesAttempt(client.url));
      break;
    case "UDP":
      await fuzz(
        client,
        "client, UDP",
        1_000_000 / DATAGRAMS_PER_ATTEMPT,
        1,
        await datagramsAttempt(client.url),
      );
  }
  faults.push(...(await clientFaults(client, protocol)));
  await client.stop();
}
await registry.stop();

for (const fault of faults) process.stdout.write(`FAULT: ${fault}\n`);
process.stdout.write(`${faults.length} faults with seed ${seed}\n`);
process.exit(faults.length === 0 ? 0 : 1);

async function fuzz(
  target: Target,
  name: string,
  count: number,
  lanes: number,
  attempt: Parameters<typeof run>[0]["attempt"],
) {
  let warmMegabytes = 0;
  const result = await run({
    name,
    seed,
    count: Math.ceil(count * scale),
    lanes,
    attempt,
    warm: async () => {
      warmMegabytes = await target.megabytes(calmMs);
    },
  });
  const megabytes = await target.megabytes(calmMs);
  report(result, warmMegabytes, megabytes);
  if (scale >= 1 && megabytes - warmMegabytes > MAX_GROWTH_MB)
    faults.push(`${name}: memory grew by ${(megabytes - warmMegabytes).toFixed(0)} MB`);
  for (const [fault, caseSeed] of result.faults)
    faults.push(`${name}: ${fault.slice(1)}, first in case ${caseSeed}`);
  faults.push(...target.faults());
}

function report({ name, endings, seconds }: Result, before: number, after: number): void {
  const counts = [...endings].sort(([, a], [, b]) => b - a).map(([ending, times]) => `${ending} ×${times}`);
  process.stdout.write(
    `${name}: ${seconds.toFixed(1)} s, ${before.toFixed(0)} MB after a fifth, ${after.toFixed(0)} MB at the end\n  ${counts.join(", ")}\n`,
  );
}
