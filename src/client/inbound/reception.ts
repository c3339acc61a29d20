import { createBoundedQueue } from "../../core/bounded-queue.ts";
import type { Incoming } from "../registry/registration.ts";
import type { Msg } from "../session/model.ts";
import type { Doubt } from "./sender-check.ts";

type Message = Extract<Incoming, { type: "message" }>;

export interface Reception {
  /** Takes what has come in; messages keep their order. */
  take(event: Incoming): void;
  /** Whether so much waits that no more should be taken in. */
  crowded(): boolean;
}

/** Joins a verdict on its sender to each message, before anybody is told of it. */
export function createReception(
  check: (user: string, source: string) => Doubt | Promise<Doubt>,
  dispatch: (event: Msg) => void,
): Reception {
  const waiting = createBoundedQueue<{ event: Message; doubt?: Promise<Doubt> }>();
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { event, doubt = check(event.message.user, event.source) } = next;
      dispatch({ ...event, doubt: await doubt });
    }
    busy = false;
  }

  return {
    take(event) {
      if (event.type !== "message") return dispatch(event);
      if (busy) return void waiting.push({ event }, event.message.text.length);
      const doubt = check(event.message.user, event.source);
      if (!(doubt instanceof Promise)) return dispatch({ ...event, doubt });
      waiting.push({ event, doubt }, event.message.text.length);
      void work();
    },
    crowded: waiting.crowded,
  };
}
