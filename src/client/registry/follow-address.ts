/** Keeps the registered address this machine's own, while networks come and go. */
import { systemClock } from "../../core/clock.ts";
import type { Chat } from "../session/chat.ts";
import type { Member } from "./registration.ts";

/** How often this machine's address is looked for, in milliseconds; that costs a look at the routes. */
const LOOK_MS = 3000;

export interface Following {
  start(): void;
  /** Looks now. @param thoroughly also looks up the registry's host again */
  look(thoroughly: boolean): Promise<void>;
  stop(): void;
}

export function followAddress(member: Member, chat: Pick<Chat, "dispatch">): Following {
  let announced = member.address;
  let busy = false;
  let stopped = false;
  let cancel = () => {};

  async function look(thoroughly: boolean): Promise<void> {
    if (busy || stopped) return;
    busy = true;
    try {
      const outdated = await member.relocate(thoroughly);
      if (member.address !== announced) {
        announced = member.address;
        await chat.dispatch({ type: "readdressed", address: announced });
      }
      if (outdated && !stopped && (await member.move())) await chat.dispatch({ type: "moved" });
    } finally {
      busy = false;
    }
  }

  function wait(): void {
    cancel = systemClock.after(LOOK_MS, () => void look(false).then(() => !stopped && wait()));
  }

  return {
    start: wait,
    look,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
