/** The file in which typed lines were kept before there was a database. */
import { readFileSync } from "node:fs";

/** Its lines, from the oldest to the newest; none if it is not there or cannot be read. */
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
