/** How often to look, in milliseconds. */
const LOOK_MS = 20;

/** Time until a condition held, in milliseconds, at most the limit. */
export async function until(holds: () => boolean | Promise<boolean>, limitMs: number): Promise<number> {
  const began = performance.now();
  while (!(await holds()) && performance.now() - began < limitMs) await Bun.sleep(LOOK_MS);
  return performance.now() - began;
}
