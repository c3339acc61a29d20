import type { Clock } from "../../../core/clock.ts";
import type { UserName } from "../../../core/schemas.ts";
import type { Output } from "../../session/model.ts";

/** How long a message is held back at most, in milliseconds: longer than a datagram is under way, and hardly seen. */
const HOLD_MS = 200;

export type MessageOutput = Extract<Output, { type: "message" }>;

/** Keeps what may be an answer behind the text that it answers: a program is often quicker than the word that it got the text. */
export interface ReplyOrder {
  /** Shows a message, or holds it back while a text to its user is under way. */
  push(output: MessageOutput): void;
  /** Shows what is held back, if nothing to its users is under way any more. */
  settle(): void;
  /** Shows what is held back. */
  flush(): void;
}

export function createReplyOrder(
  clock: Clock,
  isPending: (user: UserName) => boolean,
  show: (output: MessageOutput) => void,
): ReplyOrder {
  let held: MessageOutput[] = [];
  let cancel = () => {};

  function flush(): void {
    cancel();
    const shown = held;
    held = [];
    for (const output of shown) show(output);
  }

  return {
    push(output) {
      const { user } = output.message;
      // A later message of a user never overtakes an earlier one.
      if (!isPending(user) && !held.some(({ message }) => message.user === user)) return show(output);
      if (held.length === 0) cancel = clock.after(HOLD_MS, flush);
      held.push(output);
    },
    settle() {
      if (!held.some(({ message }) => isPending(message.user))) flush();
    },
    flush,
  };
}
