/** Strict command lines: citty declares the flags and prints help; this module rejects undeclared ones. */
import { parseArgs } from "node:util";
import { type ArgsDef, type CommandDef, renderUsage, runCommand } from "citty";
import manifest from "../../package.json" with { type: "json" };
import { TalkError, UsageError } from "./errors.ts";
import { suggest } from "./suggest.ts";

/** What users type before a command's name. */
let program = "bun run";

/** Makes `invocation` name commands of the installed or compiled `talk`. Call it before loading any command. */
export function invokedAsTalk(): void {
  program = "talk";
}

/** A command as users type it: `talk registry` where `talk` is installed, else `bun run registry`. */
export function invocation(command: string): string {
  return `${program} ${command}`;
}

/** Bounds for flags that set a period; anything shorter would flood the network. */
const MIN_SECONDS = 0.1;
const MAX_SECONDS = 86_400;

/**
 * Runs a command. The one place where a failure becomes a line on stderr and an exit code: 2 for a usage error,
 * 1 for everything else.
 * @param options `more` is text that --help prints below the options
 */
export async function runMain<A extends ArgsDef>(
  command: CommandDef<A>,
  argv = process.argv.slice(2),
  { more = "" } = {},
): Promise<void> {
  try {
    // Everything after `--` is positional.
    const options = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined);
    if (options.includes("--help") || options.includes("-h")) {
      console.log(await helpOf(command, more));
      return;
    }
    if (options.includes("--version")) {
      console.log(`talk ${manifest.version}`);
      return;
    }
    checkSwitches(options, await command.args);
    // Talk stays within its own network and never goes through a web proxy.
    process.env.NO_PROXY = "*";
    await runCommand(command, { rawArgs: argv });
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    const { visible } = await import("./sanitize.ts");
    writeError(wrapped(`error: ${visible(error.message)}`));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

let stderr: NodeJS.WriteStream | undefined;

/** Writes a line to stderr. Unlike console.error, never colours it; whether it is still read does not matter. */
export function writeError(line: string): void {
  stderr ??= process.stderr.on("error", () => {});
  stderr.write(`${line}\n`);
}

/** Rejects a value behind a flag that takes none: citty would read it as a positional. @throws UsageError */
function checkSwitches(options: string[], declared: unknown): void {
  for (const option of options) {
    const [, name = ""] = /^--([\w-]+)=/.exec(option) ?? [];
    const flag = new Map(Object.entries(Object(declared))).get(name);
    if (Object(flag).type === "boolean") throw new UsageError(`--${name} takes no value`);
  }
}

/** Rejects undeclared flags, flags without a value, and positionals unless one is declared. @throws UsageError */
export function checkFlags(args: Record<string, unknown> & { _: string[] }, declared: ArgsDef): void {
  const words = Object.keys(declared).filter((name) => declared[name]?.type === "positional");
  const known = Object.keys(declared).filter((name) => !words.includes(name));
  for (const [name, value] of Object.entries(args)) {
    if (name === "_" || words.includes(name)) continue;
    // citty parses `--no-x` as the negation of x.
    if (value === false && known.includes(`no-${kebab(name)}`)) continue;
    if (!known.includes(kebab(name))) {
      const meant = suggest(name, known);
      throw new UsageError(
        `unknown option ${name.length === 1 ? "-" : "--"}${name}; ${meant ? `did you mean --${meant}?` : "see --help"}`,
      );
    }
    if (value === "" || value === false) throw new UsageError(`--${name} needs a value; see --help`);
  }
  const [stray] = args._;
  if (words.length === 0 && stray !== undefined)
    throw new UsageError(`unexpected "${stray}"; options start with --, see --help`);
}

/** All values of a repeatable flag, in order; citty keeps only the last. */
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

/** Parses a flag's whole number from `min` to `max`. @throws UsageError */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${flag} must be a whole number from ${min} to ${max}`);
}

/** Parses a flag's seconds, with up to three decimals, into milliseconds. @throws UsageError */
export function seconds(flag: string, text: string): number {
  const value = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= MIN_SECONDS && value <= MAX_SECONDS) return value * 1000;
  throw new UsageError(`--${flag} must be seconds, from ${MIN_SECONDS} to ${MAX_SECONDS}`);
}

/** citty also passes every flag in camel case. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Wraps a sentence between words if a terminal would break it inside one; returns it unchanged otherwise. */
function wrapped(sentence: string): string {
  const { isTTY, columns } = process.stderr;
  if (!isTTY || !columns) return sentence;
  let width = 0;
  return sentence
    .split(" ")
    .map((word) => {
      const fits = width + 1 + word.length <= columns;
      width = fits ? width + 1 + word.length : word.length;
      return fits ? ` ${word}` : `\n${word}`;
    })
    .join("")
    .slice(1);
}

/** The width to which help is wrapped, in columns: every terminal has as many. */
const COLUMNS = 80;

/** The `--help` text of a command, wrapped to 80 columns. @param more text below the options */
export async function helpOf<A extends ArgsDef>(command: CommandDef<A>, more = ""): Promise<string> {
  const usage = Bun.stripANSI(await renderUsage(command));
  return `${usage}\n${more}`.split("\n").map(fit).join("\n").trimEnd();
}

/** Wraps a line between words, never inside `(Default: …)`; continuation lines align with the description. */
function fit(line: string): string {
  const indent = " ".repeat(/^ +\S+ +/.exec(line)?.[0].length ?? 0);
  let row = line.slice(0, indent.length);
  const rows: string[] = [];
  for (const word of line
    .slice(indent.length)
    .trimEnd()
    .split(/(?<!\(Default:) /)) {
    const isFirst = row.length === indent.length;
    if (!isFirst && row.length + 1 + word.length > COLUMNS) {
      rows.push(row);
      row = indent + word;
    } else row += isFirst ? word : ` ${word}`;
  }
  return [...rows, row].join("\n");
}
