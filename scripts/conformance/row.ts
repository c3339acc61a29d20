/** What a check of conformance consists of: rows, each a line of the contract that any implementation must keep. */

export interface Row<Target> {
  /** The claim, as it is reported. */
  name: string;
  /** Asked by Talk and not by the assignment: others may do otherwise. */
  ours?: true;
  /** @throws Mismatch, NotChecked */
  check(target: Target): Promise<void>;
}

export type Result =
  | { name: string; result: "passed" }
  /** `differs` is a row of Talk's own that another implementation may break. */
  | { name: string; result: "failed" | "differs"; expected: string; sent: string; received: string }
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

export interface RunOptions {
  /** Whether rows of Talk's own count as well. */
  strict: boolean;
  /** How long after the start a row may still begin, in milliseconds. @default any time */
  within?: number;
  /** Is told of each result as it comes. */
  onResult: (result: Result) => void;
}

/** Runs the rows one after the other. */
export async function runRows<Target>(
  rows: readonly Row<Target>[],
  target: Target,
  { strict, within = Number.POSITIVE_INFINITY, onResult }: RunOptions,
): Promise<Result[]> {
  const results: Result[] = [];
  const deadline = performance.now() + within;
  for (const row of rows) {
    const result = await resultOf(performance.now() < deadline ? row : late(row), target, strict);
    onResult(result);
    results.push(result);
  }
  return results;
}

/** What is left of a row when all before it took too long. */
function late<Target>(row: Row<Target>): Row<Target> {
  return {
    ...row,
    async check() {
      throw new NotChecked("answers take so long that there is no time left");
    },
  };
}

async function resultOf<Target>(row: Row<Target>, target: Target, strict: boolean): Promise<Result> {
  const name = row.ours ? `${row.name} (Talk's own rule)` : row.name;
  try {
    await row.check(target);
    return { name, result: "passed" };
  } catch (error) {
    if (error instanceof NotChecked) return { name, result: "not checked", why: error.message };
    if (!(error instanceof Mismatch)) throw error;
    const { expected, sent, received } = error;
    return { name, result: row.ours && !strict ? "differs" : "failed", expected, sent, received };
  }
}
