/** What a check demands and what it saw; free text, because each check counts something else. */
export interface Figure {
  what: string;
  asked: string;
  seen: string;
  held: boolean;
}

/** Prints a figure at once, as JSON with --json. One that was not held makes the exit code 1. */
export function tell(figure: Figure): void {
  const { what, asked, seen, held } = figure;
  if (!held) process.exitCode = 1;
  const line = `${what}: ${seen} (${held ? "held" : "NOT HELD"}: ${asked})`;
  process.stdout.write(`${process.argv.includes("--json") ? JSON.stringify(figure) : line}\n`);
}

/** The numeric arguments of the check. */
export function givenNumbers(): number[] {
  return process.argv
    .slice(2)
    .filter((word) => word !== "--json")
    .map(Number);
}
