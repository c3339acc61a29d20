/** What was typed before, kept across starts in a file that several clients share. */
import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { errorCode } from "../../../core/errors.ts";
import { followLinks } from "../../state-directory.ts";

/** Most lines that are kept. */
const MAX_LINES = 1000;

/** Most characters of a line that is kept: a pasted log is no line to come back to. */
const MAX_LENGTH = 4000;

export interface History {
  /** From the oldest to the newest, none twice. */
  lines(): readonly string[];
  /** Takes in a line, unless it is blank. */
  add(line: string): void;
}

/** @param onTrouble is told once why nothing can be kept; what is typed now can be gone back to all the same */
export function openHistory(path: string, onTrouble: (sentence: string) => void): History {
  let lines: string[] = [];
  let works = true;
  attempt(() => {
    lines = read(path);
  });

  function attempt(work: () => void): void {
    try {
      if (works) work();
    } catch (error) {
      works = false;
      onTrouble(`what you type is not kept in ${path}: ${errorCode(error) ?? error}`);
    }
  }

  return {
    lines: () => lines,
    add(line) {
      if (line.trim() === "" || line.length > MAX_LENGTH) return;
      lines = newest([...lines, line]);
      attempt(() => {
        // Another client may have written since: its lines stay. A rename is whole or not at all.
        const stored = newest([...read(path), line]);
        write(followLinks(path), stored.map((one) => `${escapeBreaks(one)}\n`).join(""));
        lines = stored;
      });
    },
  };
}

/** Whole or not at all, with the mode that the file has. What is no file (`/dev/null`) keeps nothing, and stays. */
function write(path: string, text: string): void {
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing?.isCharacterDevice()) return;
  const mode = existing === undefined ? 0o600 : existing.mode & 0o777;
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, text, { mode: 0o600 });
  chmodSync(fresh, mode);
  renameSync(fresh, path);
}

function read(path: string): string[] {
  try {
    // Some devices never end.
    if (statSync(path).isCharacterDevice()) return [];
    const stored = readFileSync(path, "utf8").split("\n");
    return newest(stored.filter((line) => line !== "").map(unescapeBreaks));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** The newest lines, each where it was typed last. */
function newest(lines: string[]): string[] {
  return [...new Set(lines.reverse())].slice(0, MAX_LINES).reverse();
}

function escapeBreaks(line: string): string {
  return line.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/\r/g, "\\r");
}

function unescapeBreaks(line: string): string {
  return line.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter === "r" ? "\r" : letter));
}
