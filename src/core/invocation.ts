let program = "bun run";

/** Makes `typed` name commands of the installed or compiled `talk`; called before any command is loaded. */
export function typedAsTalk(): void {
  program = "talk";
}

/** A command of Talk as its user types it: `talk registry` where `talk` is installed, else `bun run registry`. */
export function typed(command: string): string {
  return `${program} ${command}`;
}
