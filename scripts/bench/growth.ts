/** How costs grow with the number of users. */
import { join } from "node:path";
import { fill } from "./fill.ts";
import { type Measured, type MeasureOptions, measure, spread } from "./measure.ts";
import { run } from "./processes.ts";
import { startBare } from "./rivals.ts";
import type { Row, Side } from "./row.ts";
import { underLoad } from "./rows/registry.ts";
import { startRegistry } from "./talk.ts";

const SIZES = [100, 1000, 10_000, 100_000];

/** Most growth of Talk's cost, relative to bare's. */
const ALLOWANCE = 1.1;

/** One cost at every size. */
export interface Growth {
  name: string;
  title: string;
  unit: string;
  sizes: number[];
  sides: { name: string; values: number[] }[];
  /** The claim about the largest size against the smallest, in words. */
  rule: string;
  met: boolean;
}

export interface GrowthRow {
  name: string;
  title: string;
  /** Measures all sizes in turns, round by round. */
  grow(options: MeasureOptions): Promise<Growth>;
}

export const growthRows: GrowthRow[] = [
  answers("growth-put", "PUT a user", "put"),
  answers("growth-unchanged", "GET the known list (304)", "unchanged"),
  answers("growth-list", "GET the list", "list"),
  { name: "growth-check", title: "checking one client", grow: growCheck },
];

function answers(name: string, title: string, kind: "put" | "unchanged" | "list"): GrowthRow {
  return { name, title, grow: (options) => growAnswers(name, title, kind, options) };
}

async function growAnswers(
  name: string,
  title: string,
  kind: "put" | "unchanged" | "list",
  options: MeasureOptions,
): Promise<Growth> {
  const measured = await measure(
    {
      ...row(name, title, "answers/s"),
      async open() {
        const sides: Side[] = [];
        for (const users of SIZES) {
          const talk = await startRegistry("--store", "memory:");
          const bare = await startBare("bare-registry");
          await Promise.all([fill(talk.ready, users), fill(bare.ready, users)]);
          sides.push(underLoad(`talk ${users}`, talk, { kind, users }));
          sides.push(underLoad(`bare ${users}`, bare, { kind, users }));
        }
        return sides;
      },
    },
    options,
  );
  // A list grows with its users, so its cost is reported per user.
  return kind === "list"
    ? growthOf(measured, "ns a user", (rate, users) => 1e9 / rate / users)
    : growthOf(measured, "µs", (rate) => 1e6 / rate);
}

/** The checker's own cost per client, with a prober that needs no network. */
async function growCheck(options: MeasureOptions): Promise<Growth> {
  const files = { talk: "checking.ts", bare: "rivals/bare-checking.mjs" };
  const measured = await measure(
    {
      ...row("growth-check", "checking one client", "µs"),
      open: async () =>
        SIZES.flatMap((users) =>
          Object.entries(files).map(([side, file]) => ({
            name: `${side} ${users}`,
            sample: async () =>
              Number(await run([process.execPath, join(import.meta.dir, file), String(users)])),
            close: async () => {},
          })),
        ),
    },
    options,
  );
  return growthOf(measured, "µs", (sample) => sample);
}

function row(name: string, title: string, unit: string): Omit<Row, "open"> {
  return { name, title, unit, better: "less", targets: [] };
}

/** The costs at every size, and the growth from smallest to largest as the median of the rounds' ratios. */
function growthOf(
  { name, title, sides: measured }: Measured,
  unit: string,
  toCost: (sample: number, users: number) => number,
): Growth {
  const costs = (side: string, users: number) => {
    const samples = measured.find(({ name }) => name === `${side} ${users}`)?.samples ?? [];
    return samples.map((sample) => toCost(sample, users));
  };
  const growth = (side: string) => {
    const [smallest, largest] = [costs(side, SIZES[0] ?? 0), costs(side, SIZES.at(-1) ?? 0)];
    return spread(largest.map((cost, i) => cost / (smallest[i] ?? Number.NaN))).median;
  };
  const [talk, bare] = [growth("talk"), growth("bare")];
  return {
    name,
    title,
    unit,
    sizes: SIZES,
    sides: ["talk", "bare"].map((side) => ({
      name: side,
      values: SIZES.map((users) => spread(costs(side, users)).median),
    })),
    rule: `talk's grows ${talk.toFixed(2)} ×, bare's ${bare.toFixed(2)} ×; at most 10 % more`,
    met: talk <= bare * ALLOWANCE,
  };
}
