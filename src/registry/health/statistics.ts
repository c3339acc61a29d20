import type { Clock } from "../../core/clock.ts";

/** Statistics of the checks that began within one interval. */
export interface RoundReport {
  users: number;
  failed: number;
  /** From the beginning of the round to the end of its last check, in milliseconds. */
  ms: number;
}

export interface StatisticsOptions {
  /** Milliseconds in which the checks of one round begin. */
  interval: number;
  clock: Clock;
  /** Called once for each round in which somebody was checked, when the last of its checks has ended. */
  report: (round: RoundReport) => void;
}

export interface Statistics {
  /** Begins the next round if it is time. */
  advance(): void;
  /** Counts a check that begins now. @returns what counts its end */
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
