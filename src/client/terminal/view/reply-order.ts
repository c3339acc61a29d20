import type { Clock } from "../../../core/clock.ts";
import type { UserName } from "../../../core/schemas.ts";
import type { Output } from "../../session/model.ts";

/** Longest a message is held back, in milliseconds: longer than a datagram travels, yet hardly noticeable. */
const HOLD_MS = 200;

export type MessageOutput = Extract<Output, { type: "message" }>;

/** Shows a reply below the text it answers, even if it overtakes the acknowledgement, as a bot's often does. */
export interface ReplyOrder {
  /** Shows a message, or holds it back while a text to its sender is pending. */
  push(output: MessageOutput): void;
  /** Shows the held messages once no text to their senders is pending. */
  settle(): void;
  /** Shows the held messages. */
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
      // Messages of one user stay in order.
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
