/** What goes on between joining and leaving, whoever looks on: a person, a script or a program. */
import { systemClock } from "../core/clock.ts";
import { type Chat, type ChatOptions, createChat } from "./chat.ts";
import type { Member } from "./member.ts";
import { startPolling } from "./poll.ts";
import { createReception } from "./reception.ts";
import { createSenderCheck } from "./sender-check.ts";

export interface Attendance {
  chat: Chat;
  /** Resolves once the list has been asked for; messages are told of from then on. */
  started: Promise<void>;
  /** Unregisters, lets messages under way end, and stops listening: in 3 s at most. */
  leave(): Promise<void>;
}

/**
 * @param interval milliseconds between two looks at the registry's list, ±20 %
 * @param full whether no more messages should be taken now, because those before are not read
 */
export function attend(
  member: Member,
  {
    interval,
    full = () => false,
    ...callbacks
  }: Pick<ChatOptions, "onOutput" | "onChange"> & { interval: number; full?: (() => boolean) | undefined },
): Attendance {
  const { name, address, port, portInUse, registry, rateLimit, noKey } = member;
  const chat = createChat({ me: name, address, registry, rateLimit, ...callbacks });
  let stopPolling = () => {};
  let leaving = false;

  async function start() {
    await chat.dispatch({ type: "started", port, portInUse });
    if (noKey !== undefined) await chat.dispatch({ type: "noKey", reason: noKey });
    const check = createSenderCheck({ users: chat.known, refresh: chat.poll, clock: systemClock });
    const { take, crowded } = createReception(check, chat.dispatch);
    member.receive({ take, crowded: () => full() || crowded() });
    if (leaving) return;
    stopPolling = startPolling({ ask: chat.poll, interval, clock: systemClock, random: Math.random });
  }

  return {
    chat,
    started: start(),
    async leave() {
      leaving = true;
      stopPolling();
      const [unregistered] = await Promise.all([member.unregister(), chat.close()]);
      if (!unregistered) await chat.dispatch({ type: "stillRegistered" });
      await member.close();
    },
  };
}
