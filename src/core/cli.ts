/** A command line, strictly: citty declares and prints the flags, and here none passes that was not declared. */
import { parseArgs } from "node:util";
import { type ArgsDef, type CommandDef, runCommand } from "citty";
import manifest from "../../package.json" with { type: "json" };
import { TalkError, UsageError } from "./errors.ts";
import { helpOf } from "./help.ts";
import { suggest } from "./suggest.ts";

/** The shortest and the longest period that a flag may ask for: what is quicker would be a flood. */
const MIN_SECONDS = 0.1;
const MAX_SECONDS = 86_400;

/**
 * Runs a command, and is the one place where a failure of it becomes a line on stderr and an exit code:
 * 2 for a wrong flag, 1 for everything else.
 * @param more what --help says below the options
 */
export async function runMain<A extends ArgsDef>(
  command: CommandDef<A>,
  argv = process.argv.slice(2),
  more = "",
): Promise<void> {
  try {
    // Behind `--` there are words alone.
    const options = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined);
    if (options.includes("--help") || options.includes("-h")) {
      // Not by process.stdout: to load that takes longer than all the rest of this.
      console.log(await helpOf(command, more));
      return;
    }
    if (options.includes("--version")) {
      console.log(`talk ${manifest.version}`);
      return;
    }
    // Whoever reads our output may go (`| head -1`): that is no reason to end before what is to be done is done.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
    // Talk speaks within its own network: a proxy for the web has no business in between.
    process.env.NO_PROXY = "*";
    await runCommand(command, { rawArgs: argv });
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    const { visible } = await import("./sanitize.ts");
    process.stderr.write(`error: ${visible(error.message)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** Refuses flags that were not declared, flags without their value, and words unless a positional is declared. @throws UsageError */
export function checkFlags(args: Record<string, unknown> & { _: string[] }, declared: ArgsDef): void {
  const words = Object.keys(declared).filter((name) => declared[name]?.type === "positional");
  const known = Object.keys(declared).filter((name) => !words.includes(name));
  for (const [name, value] of Object.entries(args)) {
    if (name === "_" || words.includes(name)) continue;
    if (!known.includes(kebab(name))) {
      const meant = suggest(name, known);
      throw new UsageError(`unknown option --${name}; ${meant ? `did you mean --${meant}?` : "see --help"}`);
    }
    if (value === "" || value === false) throw new UsageError(`--${name} needs a value; see --help`);
  }
  const [stray] = args._;
  if (words.length === 0 && stray !== undefined)
    throw new UsageError(`unexpected "${stray}"; options start with --, see --help`);
}

/** Every value of a flag that may be given several times, in order; citty keeps the last alone. */
export function valuesOf(flag: string, rawArgs: string[], declared: ArgsDef): string[] {
  const options = Object.entries(declared).map(([name, { type }]) => [
    name,
    { type: type === "boolean" ? "boolean" : "string" } as const,
  ]);
  const { tokens } = parseArgs({
    args: rawArgs,
    options: Object.fromEntries(options),
    tokens: true,
    strict: false,
    allowPositionals: true,
  });
  return tokens.flatMap((token) =>
    token.kind === "option" && token.name === flag ? [token.value ?? ""] : [],
  );
}

/** A flag's whole number from `min` to `max`. @throws UsageError */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${flag} must be a whole number from ${min} to ${max}`);
}

/** A flag's seconds, decimals allowed, as milliseconds. @throws UsageError */
export function seconds(flag: string, text: string): number {
  const value = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= MIN_SECONDS && value <= MAX_SECONDS) return value * 1000;
  throw new UsageError(`--${flag} must be seconds, from ${MIN_SECONDS} to ${MAX_SECONDS}`);
}

/** citty hands every flag over in camel case too. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
