const cleanups: (() => unknown)[] = [];

/** Runs when the test is over, last first. */
export function afterwards(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** Called after each test, of whichever file, by what bunfig.toml preloads. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}
