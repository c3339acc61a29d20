import { type ArgsDef, type CommandDef, renderUsage } from "citty";

/** The width that every terminal has, in columns. */
const COLUMNS = 80;

/** What `--help` says of a command, in lines of at most 80 columns. @param more what it says below the options */
export async function helpOf<A extends ArgsDef>(command: CommandDef<A>, more = ""): Promise<string> {
  const usage = Bun.stripANSI(await renderUsage(command));
  return `${usage}\n${more}`.split("\n").map(fit).join("\n").trimEnd();
}

/** Breaks a line between words, but not a default from what it is; what follows stands below the description. */
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
