/** Random choices, reproducible from a seed. */
export type Random = () => number;

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** @throws Error if there is nothing to pick from */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[below(random, items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

/** Mutates bytes: replaces, removes, repeats, truncates or inserts some. */
export function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  let result = Buffer.from(bytes);
  for (let edits = 1 + below(random, 4); edits > 0; edits--) {
    const at = below(random, result.length + 1);
    const end = Math.min(result.length, at + 1 + below(random, 8));
    const [before, middle, after] = [result.subarray(0, at), result.subarray(at, end), result.subarray(end)];
    switch (below(random, 5)) {
      case 0:
        result = Buffer.concat([before, Buffer.from([below(random, 256)]), after]);
        break;
      case 1:
        result = Buffer.concat([before, after]);
        break;
      case 2:
        result = Buffer.concat([before, middle, middle, middle, after]);
        break;
      case 3:
        result = Buffer.from(before);
        break;
      default:
        result = Buffer.concat([before, Buffer.from(pick(random, SPLICES)), middle, after]);
    }
  }
  return result;
}

const SPLICES = [
  '"',
  "{",
  "}",
  "[",
  ",",
  "\\u0000",
  "\\ud800",
  "\r\n",
  "\r\n\r\n",
  "\0",
  "%00",
  "/",
  "..",
  "\xff",
  ":",
];
