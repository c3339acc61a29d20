/** The history file of older versions, which kept it as text. */
import { readFileSync } from "node:fs";

/** Its lines, oldest first; none if it is missing or unreadable. */
export function readHistoryFile(path: string): string[] {
  try {
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.filter((line) => line !== "").map(unescapeBreaks);
  } catch {
    return [];
  }
}

function unescapeBreaks(line: string): string {
  return line.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter === "r" ? "\r" : letter));
}
