const cleanups: (() => unknown)[] = [];

/** Registers something to run after the test; the last one runs first. */
export function afterwards(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** Called after each test of every file, from test/preload.ts. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}
