import type { Clock } from "../../core/clock.ts";

/** Statistics of the checks that began within one interval. */
export interface RoundReport {
  users: number;
  failed: number;
  /** From the start of the round to the end of its last check, in milliseconds. */
  ms: number;
}

export interface StatisticsOptions {
  /** Length of a round in milliseconds. */
  interval: number;
  clock: Clock;
  /** Called once per round with any checks, when the last of them has ended. */
  report: (round: RoundReport) => void;
}

export interface Statistics {
  /** Starts the next round when it is due. */
  advance(): void;
  /** Counts the start of a check. @returns a function that counts its end */
  countStart(): (failed: boolean) => void;
}

export function createStatistics({ interval, clock, report }: StatisticsOptions): Statistics {
  let current = start();

  function start() {
    return { began: clock.now(), ended: clock.now(), over: false, underWay: 0, users: 0, failed: 0 };
  }

  function reportIfOver({ began, ended, over, underWay, users, failed }: typeof current): void {
    if (over && underWay === 0 && users > 0) report({ users, failed, ms: ended - began });
  }

  return {
    advance() {
      if (clock.now() - current.began < interval) return;
      current.over = true;
      reportIfOver(current);
      current = start();
    },
    countStart() {
      const round = current;
      round.underWay++;
      round.users++;
      return (failed) => {
        round.underWay--;
        if (failed) round.failed++;
        round.ended = clock.now();
        reportIfOver(round);
      };
    },
  };
}
