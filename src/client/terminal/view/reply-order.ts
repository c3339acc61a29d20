import type { Clock } from "../../../core/clock.ts";
import type { UserName } from "../../../core/schemas.ts";
import type { Output } from "../../session/model.ts";

/** How long a message is held back at most, in milliseconds: longer than a datagram is under way, and hardly seen. */
const HOLD_MS = 200;

export type Heard = Extract<Output, { type: "message" }>;

/** Keeps what may be an answer behind the text that it answers: a program is often quicker than the word that it got the text. */
export interface Answers {
  /** Shows a message, or holds it back while a text to its user is under way. */
  take(heard: Heard): void;
  /** Shows what is held back, if nothing to its users is under way any more. */
  settle(): void;
  /** Shows what is held back. */
  flush(): void;
}

export function createAnswers(
  clock: Clock,
  isUnderWay: (user: UserName) => boolean,
  show: (heard: Heard) => void,
): Answers {
  let held: Heard[] = [];
  let cancel = () => {};

  function flush(): void {
    cancel();
    const shown = held;
    held = [];
    for (const heard of shown) show(heard);
  }

  return {
    take(heard) {
      const { user } = heard.message;
      // A later message of a user never overtakes an earlier one.
      if (!isUnderWay(user) && !held.some(({ message }) => message.user === user)) return show(heard);
      if (held.length === 0) cancel = clock.after(HOLD_MS, flush);
      held.push(heard);
    },
    settle() {
      if (!held.some(({ message }) => isUnderWay(message.user))) flush();
    },
    flush,
  };
}
