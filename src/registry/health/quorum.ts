import type { Clock } from "../../core/clock.ts";

/** How many others are asked whether they answer, and how often at most, in milliseconds. */
const MAX_MEMBERS = 50;
const PAUSE_MS = 250;

/** Some users who are probed while one is in trouble: do they answer, or is it us? */
export interface Jury<E> {
  /** Whether at least half of them, and of the one in trouble, have been heard of since they were summoned. */
  haveAnswered(suspect: E): boolean;
}

export interface JuriesOptions<E> {
  /** All who may be asked. */
  candidates: () => Iterable<E>;
  /** Asks one of them, who is `seen` if it answers. */
  hear: (member: E) => void;
  clock: Clock;
  /** From [0, 1). */
  random: () => number;
}

/**
 * Summons juries while users are in trouble. Answers from before or after would prove nothing: the network may
 * have gone, or come back, in between. @returns what summons one
 */
export function createJuries<E extends { seen: number }>({
  candidates,
  hear,
  clock,
  random,
}: JuriesOptions<E>): () => Jury<E> {
  let lastHeld = Number.NEGATIVE_INFINITY;
  /** The one that is still to be held: it serves all whose trouble began meanwhile. */
  let next: Jury<E> | undefined;

  function summon(): Jury<E> {
    let began = Number.POSITIVE_INFINITY;
    let members: E[] = [];
    clock.after(Math.max(0, lastHeld + PAUSE_MS - clock.now()), () => {
      next = undefined;
      lastHeld = clock.now();
      began = clock.now();
      members = sample([...candidates()]);
      for (const member of members) hear(member);
    });
    return {
      haveAnswered(suspect) {
        const others = members.filter((member) => member !== suspect);
        return others.filter(({ seen }) => seen >= began).length >= (others.length + 1) / 2;
      },
    };
  }

  /** Some of them, drawn by chance. */
  function sample(from: E[]): E[] {
    const count = Math.min(MAX_MEMBERS, from.length);
    return Array.from({ length: count }, () => from.splice(Math.floor(random() * from.length), 1)).flat();
  }

  return () => {
    next ??= summon();
    return next;
  };
}
