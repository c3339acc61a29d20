/** Most probes answered in any second. */
const PER_SECOND = 20;

/** Most answers per id: a registry may repeat a probe, but two clients must not bounce it back and forth. */
const PER_ID = 3;

/** Ids remembered for that: about a minute's worth at the full rate. */
const IDS = 1000;

/** Decides which probes to answer. @param now a clock in milliseconds */
export function createProbeGuard(
  now: () => number = performance.now.bind(performance),
): (id: string) => boolean {
  const answered: number[] = [];
  const timesById = new Map<string, number>();

  return (id) => {
    const time = now();
    while (answered[0] !== undefined && time - answered[0] >= 1000) answered.shift();
    const times = timesById.get(id) ?? 0;
    if (answered.length >= PER_SECOND || times >= PER_ID) return false;
    answered.push(time);
    timesById.set(id, times + 1);
    const [oldest] = timesById.keys();
    if (timesById.size > IDS && oldest !== undefined) timesById.delete(oldest);
    return true;
  };
}
