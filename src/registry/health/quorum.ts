/** A sample of other users, probed to tell a dead peer from an outage of our own (as memberlist's indirect probes do). */
import type { Clock } from "../../core/clock.ts";

/** Users in a sample: eight, beside the suspect itself. */
const SAMPLE = 9;

/** The shortest time between two samples, in milliseconds. */
const PAUSE_MS = 250;

/** Users who were probed once each when somebody failed. */
export interface PeerSample<T> {
  /** Whether more than half of them, without the suspect, have answered so far. */
  answeredBeside(suspect: T): boolean;
}

export interface QuorumOptions<T> {
  /** All who may be in a sample. */
  candidates: () => Iterable<T>;
  /** Probes one of them once; false without an answer. */
  answers: (member: T) => Promise<boolean>;
  clock: Clock;
  /** From [0, 1). */
  random: () => number;
}

/**
 * Draws samples while users are in trouble. Answers from before would prove nothing, because the network may have gone
 * in between; so a sample serves only those whose trouble began before it was drawn. @returns what draws one
 */
export function createQuorum<T>({
  candidates,
  answers,
  clock,
  random,
}: QuorumOptions<T>): () => PeerSample<T> {
  let drawnAt = Number.NEGATIVE_INFINITY;
  /** The one that is still to be drawn. */
  let next: PeerSample<T> | undefined;

  function draw(): PeerSample<T> {
    let members: T[] = [];
    const alive = new Set<T>();
    clock.after(Math.max(0, drawnAt + PAUSE_MS - clock.now()), () => {
      next = undefined;
      drawnAt = clock.now();
      members = sampleOf([...candidates()], random);
      for (const member of members) void answers(member).then((answered) => answered && alive.add(member));
    });
    return {
      answeredBeside(suspect) {
        const others = members.filter((member) => member !== suspect);
        return others.filter((member) => alive.has(member)).length > others.length / 2;
      },
    };
  }

  return () => {
    next ??= draw();
    return next;
  };
}

function sampleOf<T>(from: T[], random: () => number): T[] {
  const count = Math.min(SAMPLE, from.length);
  return Array.from({ length: count }, () => from.splice(Math.floor(random() * from.length), 1)).flat();
}
