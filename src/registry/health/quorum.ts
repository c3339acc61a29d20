/** A sample of other users, probed to tell a dead peer from our own outage (compare memberlist's indirect probes). */
import type { Clock } from "../../core/clock.ts";

/** Users in a sample: eight besides the suspect itself. */
const SAMPLE = 9;

/** Minimum time between two samples, in milliseconds. */
const PAUSE_MS = 250;

/** Users probed once each when somebody failed. */
export interface PeerSample<T> {
  /** Whether more than half of them, not counting the suspect, have answered so far. */
  answeredBeside(suspect: T): boolean;
}

export interface QuorumOptions<T> {
  /** All users a sample may include. */
  candidates: () => Iterable<T>;
  /** Probes a member once; false if it does not answer. */
  answers: (member: T) => Promise<boolean>;
  clock: Clock;
  /** From [0, 1). */
  random: () => number;
}

/**
 * Draws samples while users fail. Earlier answers would prove nothing, because the network may have failed since, so a
 * sample serves only users who failed before it was drawn. @returns a function that draws a sample
 */
export function createQuorum<T>({
  candidates,
  answers,
  clock,
  random,
}: QuorumOptions<T>): () => PeerSample<T> {
  let drawnAt = Number.NEGATIVE_INFINITY;
  /** The sample that is scheduled but not yet drawn. */
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
