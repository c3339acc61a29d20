/** The signals with which a terminal, a service manager or a script asks a command to stop. */

/** By name, with their numbers (POSIX, `kill`). */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/**
 * Signals within this time of the first count as the same request, in milliseconds. A terminal and systemd signal the
 * whole process group and `bun run` forwards its own, so one Ctrl-C arrives twice; systemd may follow its SIGTERM with
 * SIGHUP.
 */
const REPEAT_MS = 1000;

let stopped: Promise<void> | undefined;

/**
 * Resolves at the first stop signal; all callers share one promise. From the first call on, signals no longer kill the
 * process; but one that comes more than a second after the first exits at once with 128 plus the signal's number.
 */
export function stopSignal(): Promise<void> {
  stopped ??= new Promise((resolve) => {
    let first: number | undefined;
    for (const [signal, number] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        first ??= performance.now();
        if (performance.now() - first > REPEAT_MS) process.exit(128 + number);
        resolve();
      });
    }
  });
  return stopped;
}
