/** What goes on between joining and leaving, whoever looks on: a person, a script or a program. */
import { systemClock } from "../core/clock.ts";
import { createReception } from "./inbound/reception.ts";
import { createSenderCheck } from "./inbound/sender-check.ts";
import { followAddress } from "./registry/follow-address.ts";
import { type Following, followChanges } from "./registry/follow-changes.ts";
import type { Member } from "./registry/registration.ts";
import { startPolling } from "./registry/watch.ts";
import { type Chat, type ChatOptions, createChat } from "./session/chat.ts";

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
  }: Pick<ChatOptions, "kept" | "onOutput" | "onChange"> & {
    interval: number;
    full?: (() => boolean) | undefined;
  },
): Attendance {
  const { name, address, port, portInUse, rateLimit, noKey, byHand, shared, mayContact } = member;
  let changes: Following | undefined;
  const registry = {
    ...member.registry,
    async list(signal?: AbortSignal) {
      const users = await member.registry.list(signal);
      changes?.know(users);
      return users;
    },
  };
  const chat = createChat({
    me: name,
    address,
    byHand,
    shared,
    mayContact,
    registry,
    rateLimit,
    ...callbacks,
  });
  const following = member.follows ? followAddress(member, chat) : undefined;
  let stopPolling = () => {};
  let leaving = false;

  async function start() {
    await chat.dispatch({ type: "started", port, portInUse });
    if (noKey !== undefined) await chat.dispatch({ type: "noKey", reason: noKey });
    const check = createSenderCheck({ users: chat.known, refresh: chat.poll, clock: systemClock });
    const { take, crowded } = createReception(check, chat.dispatch);
    member.receive({ take, crowded: () => full() || crowded() });
    if (member.note !== undefined) await chat.dispatch({ type: "note", sentence: member.note });
    if (leaving) return;
    await chat.dispatch({ type: "registered" });
    following?.start();
    changes = followChanges(registry.url, {
      onUsers: (users) => void chat.dispatch({ type: "list", users, purpose: { type: "change" } }),
      onAway: (reason) => void chat.dispatch({ type: "noList", reason, purpose: { type: "poll" } }),
    });
    async function ask() {
      const answered = await chat.poll();
      if (!answered) await following?.look(true);
      return answered;
    }
    stopPolling = startPolling({ ask, interval, clock: systemClock, random: Math.random });
  }

  return {
    chat,
    started: start(),
    async leave() {
      leaving = true;
      stopPolling();
      following?.stop();
      changes?.stop();
      const [unregistered] = await Promise.all([member.unregister(), chat.close()]);
      if (!unregistered) await chat.dispatch({ type: "stillRegistered" });
      await member.close();
    },
  };
}
