import { readLines } from "../../src/client/read-lines.ts";

/**
 * For each line of input, a number of seconds, keeps `window` messages in flight for that long and prints how many were
 * settled per second.
 */
export async function serveSending(window: number, send: () => Promise<unknown>): Promise<void> {
  process.stdout.write(`ready with ${window}\n`);
  for await (const line of readLines(Bun.stdin.stream())) {
    const began = performance.now();
    const until = began + Number(line) * 1000;
    let settled = 0;
    const lane = async () => {
      for (; performance.now() < until; settled++) await send();
    };
    await Promise.all(Array.from({ length: window }, lane));
    process.stdout.write(`${settled / ((performance.now() - began) / 1000)}\n`);
  }
}
