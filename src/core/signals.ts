/** The signals by which a terminal, a service manager or a script asks a command to stop. */
import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * How long further signals belong to the first, in milliseconds. A terminal and systemd signal the whole process group,
 * and `bun run` passes on what it gets itself, so one Ctrl-C arrives twice; systemd may add SIGHUP to its SIGTERM.
 */
const REPEAT_MS = 1000;

let stopped: Promise<void> | undefined;

/**
 * Resolves at the first signal to stop, of this process and whoever asks. From the first call on no signal kills by
 * itself; one that comes more than a second after the first ends the process at once, with 128 and the signal's number.
 */
export function stopSignal(): Promise<void> {
  stopped ??= new Promise((resolve) => {
    let first: number | undefined;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        first ??= performance.now();
        if (performance.now() - first > REPEAT_MS) process.exit(128 + constants.signals[signal]);
        resolve();
      });
    }
  });
  return stopped;
}
