/** What a check was to show, and what it has seen: in words, because each counts something else. */
export interface Figure {
  what: string;
  asked: string;
  seen: string;
  held: boolean;
}

/** Tells a figure as soon as it is there, as JSON if the check was started with --json; one that is not held makes the exit code 1. */
export function tell(figure: Figure): void {
  const { what, asked, seen, held } = figure;
  if (!held) process.exitCode = 1;
  const line = `${what}: ${seen} (${held ? "held" : "NOT HELD"}: ${asked})`;
  process.stdout.write(`${process.argv.includes("--json") ? JSON.stringify(figure) : line}\n`);
}

/** The numbers that the check was started with. */
export function givenNumbers(): number[] {
  return process.argv
    .slice(2)
    .filter((word) => word !== "--json")
    .map(Number);
}
