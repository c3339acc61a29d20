/** Requests users from a registry at a steady rate, and reports the response times: `bun asker.ts <url> <seconds>`. */
import { readLines } from "../../../src/client/read-lines.ts";

const [url = "", seconds = "10"] = process.argv.slice(2);
/** Requests per second. */
const PACE_MS = 5;
const times: number[] = [];
process.stdout.write("asking\n");
const end = performance.now() + Number(seconds) * 1000;
while (performance.now() < end) {
  const began = performance.now();
  await (await fetch(`${url}/v1/users/user-1`)).text();
  times.push(performance.now() - began);
  await Bun.sleep(PACE_MS);
}
times.sort((a, b) => a - b);
const at = (part: number) => times[Math.ceil(part * times.length) - 1];
for await (const _ of readLines(Bun.stdin.stream())) {
  process.stdout.write(`${JSON.stringify({ count: times.length, p50: at(0.5), p99: at(0.99) })}\n`);
}
