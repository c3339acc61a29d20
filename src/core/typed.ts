/** Set by scripts/build.ts in the one binary, and nowhere else. */
declare const TALK_BINARY: true | undefined;

/** A command of Talk as its user types it: `talk registry` with the one binary, else `bun run registry`. */
export function typed(command: string): string {
  return typeof TALK_BINARY === "undefined" ? `bun run ${command}` : `talk ${command}`;
}
