/** The rows of a conformance check: each is one requirement of the protocol. */

export interface Row<Target> {
  /** The claim, as reported. */
  name: string;
  /** Talk's own rule, not the protocol's: others may differ. */
  ours?: true;
  /** @throws Mismatch, NotChecked */
  check(target: Target): Promise<void>;
}

export type Result =
  | { name: string; result: "passed" }
  /** `differs`: breaks one of Talk's own rules, which is allowed. */
  | { name: string; result: "failed" | "differs"; expected: string; sent: string; received: string }
  | { name: string; result: "not checked"; why: string };

/** The implementation broke the claim. */
export class Mismatch extends Error {
  constructor(
    readonly expected: string,
    readonly sent: string,
    readonly received: string,
  ) {
    super(`expected ${expected}, sent ${sent}, received ${received}`);
  }
}

/** The claim could not be checked. */
export class NotChecked extends Error {}

export interface RunOptions {
  /** Whether Talk's own rules count as well. */
  strict: boolean;
  /** No row starts later than this, in milliseconds. @default no limit */
  within?: number;
  /** Called with each result as it comes. */
  onResult: (result: Result) => void;
}

/** Runs the rows one after another. */
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

/** A row that is skipped because those before it took too long. */
function late<Target>(row: Row<Target>): Row<Target> {
  return {
    ...row,
    async check() {
      throw new NotChecked("answers are so slow that there is no time left");
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
