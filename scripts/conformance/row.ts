/** What a check of conformance consists of: rows, each a line of the contract that any implementation must keep. */

export interface Row<Target> {
  /** The claim, as it is reported. */
  name: string;
  /** @throws Mismatch, NotChecked */
  check(target: Target): Promise<void>;
}

export type Result =
  | { name: string; result: "passed" }
  | { name: string; result: "failed"; expected: string; sent: string; received: string }
  | { name: string; result: "not checked"; why: string };

/** The implementation did otherwise. */
export class Mismatch extends Error {
  constructor(
    readonly expected: string,
    readonly sent: string,
    readonly received: string,
  ) {
    super(`expected ${expected}, sent ${sent}, received ${received}`);
  }
}

/** It could not be seen whether the implementation does as it must. */
export class NotChecked extends Error {}

/** Runs the rows one after the other. @param onResult is told of each as it comes */
export async function runRows<Target>(
  rows: readonly Row<Target>[],
  target: Target,
  onResult: (result: Result) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const row of rows) {
    const result = await resultOf(row, target);
    onResult(result);
    results.push(result);
  }
  return results;
}

async function resultOf<Target>({ name, check }: Row<Target>, target: Target): Promise<Result> {
  try {
    await check(target);
    return { name, result: "passed" };
  } catch (error) {
    if (error instanceof NotChecked) return { name, result: "not checked", why: error.message };
    if (!(error instanceof Mismatch)) throw error;
    const { expected, sent, received } = error;
    return { name, result: "failed", expected, sent, received };
  }
}
