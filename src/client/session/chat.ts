/** Joins the session, which does nothing by itself, to the registry, the outbox and the terminal. */
import { atMost, systemClock } from "../../core/clock.ts";
import type { MayContact } from "../../core/denylist.ts";
import { RegistryRefused, TalkError } from "../../core/errors.ts";
import { encodeMessage } from "../../core/message.ts";
import type { Address, UserName } from "../../core/schemas.ts";
import { createOutbox } from "../outbound/outbox.ts";
import { createStoreAndForward } from "../outbound/store-and-forward.ts";
import type { Registry } from "../registry/api.ts";
import type { Users } from "../registry/listed-users.ts";
import { isPresent } from "../registry/liveness.ts";
import { answer, record, whatWaits } from "../storage/answers.ts";
import type { Kept } from "../storage/index.ts";
import type { Outcome } from "../transports/types.ts";
import { type Cmd, type Msg, type Output, type Purpose, type Session, startSession } from "./model.ts";
import { update } from "./update.ts";

/** How long messages under way may take to end when one leaves, in milliseconds. */
const FAREWELL_MS = 2500;

export interface Chat {
  /** Takes a message (Msg), and resolves when the next line may come. */
  dispatch(msg: Msg): Promise<void>;
  /** The known list. */
  known(): Users;
  /** Asks the registry who is there. @throws RegistryUnreachable, NoRegistry, RegistryRefused */
  users(): Promise<Users>;
  /** Sends a text to a user, of the known list or not. Never rejects. @param options with `wait`, for a user who is away */
  send(to: UserName, text: string, options?: { wait?: boolean }): Promise<Outcome>;
  /** Resolves once fewer than 500 messages wait. */
  room(): Promise<void>;
  /** Resolves when the user has asked to leave. */
  left: Promise<void>;
  /** Asks for the list without being told to; false if the registry did not answer, or does not take me. */
  poll(): Promise<boolean>;
  /** Lets messages under way end for up to 2.5 s, and tells which did not. */
  close(): Promise<void>;
}

export interface ChatOptions {
  me: UserName;
  /** Where I am registered. */
  address: Address;
  registry: Registry;
  /** Whether the address was given by hand, and whether the registry is for other machines too. */
  byHand: boolean;
  shared: boolean;
  /** Whom messages may go to at all. */
  mayContact: MayContact;
  /** Messages a second that one takes from another, as far as I know; 0 for any number. */
  rateLimit: number;
  kept: Kept;
  /** Called with what the user is told. */
  onOutput: (output: Output) => void;
  /** Called when the session is another than before. */
  onChange: (session: Session) => void;
}

export function createChat({
  me,
  address,
  byHand,
  shared,
  mayContact,
  registry,
  rateLimit,
  kept,
  onOutput,
  onChange,
}: ChatOptions): Chat {
  const outbox = createOutbox(async (user) => (await users()).get(user), rateLimit, mayContact);
  const forwarder = createStoreAndForward({
    me,
    texts: kept.waiting,
    transmit: outbox.send,
    isPresent: (address) => isPresent(address, mayContact),
    clock: systemClock,
    random: Math.random,
    onEvent(event) {
      if (event.type === "settled") void dispatch({ ...event, type: "forwarded" });
      else
        void dispatch({
          type: "told",
          outputs: [event.type === "forwarded" ? { ...event, type: "back" } : event],
        });
    },
  });
  const left = Promise.withResolvers<void>();
  let session = startSession(me, address, byHand && shared);
  let leaving = false;
  /** Lists that a command asked for and that no line has to wait for. */
  const asked = new Set<Promise<void>>();
  let registering = Promise.resolve();
  /** When the registry wants to be asked again to take me, by the system's clock. */
  let registerFrom = 0;

  async function dispatch(msg: Msg): Promise<void> {
    // What was piped in behind `:exit` is not for this chat any more.
    if (leaving && (msg.type === "line" || msg.type === "text")) return;
    const [next, cmds] = update(session, msg);
    if (next !== session) onChange(next);
    session = next;
    if (msg.type === "message" && msg.doubt === undefined) forwarder.heard(msg.message.user);
    // Begun together: what is printed is printed now, in order, and no command waits for the network of another.
    const begun = cmds.map((cmd) => run(cmd, msg));
    if (msg.type === "list") forwarder.listed(session.users);
    await Promise.all(begun);
    if (msg.type === "started") await dispatch({ type: "told", outputs: whatWaits(kept, forwarder) });
  }

  /** @returns a promise of when the next line may come */
  async function run(cmd: Cmd, cause: Msg): Promise<void> {
    switch (cmd.type) {
      case "print":
        record(kept.transcript, cmd.output);
        return onOutput(cmd.output);
      case "ask":
        return dispatch({ type: "told", outputs: answer(cmd.question, kept, forwarder) });
      case "fetchList":
        if (cause.type !== "line" || cmd.purpose.type === "select") return fetchList(cmd.purpose);
        return inBackground(fetchList(cmd.purpose));
      case "send": {
        const { id, to, address, text, body } = cmd;
        void forwarder
          .send({ to, address, text, body })
          .then((outcome) => dispatch({ type: "outcome", id, to, text, outcome }));
        return outbox.room();
      }
      case "register":
        registering = register();
        return;
      case "askReach":
        // A user who asked waits for the answer; nobody else does.
        if (cmd.asked) return askReach(true);
        if (shared) void askReach(false);
        return;
      case "leave":
        leaving = true;
        return left.resolve();
    }
  }

  function inBackground(asking: Promise<void>): void {
    asked.add(asking);
    void asking.finally(() => asked.delete(asking));
  }

  async function fetchList(purpose: Purpose): Promise<void> {
    try {
      await dispatch({ type: "list", users: await registry.list(), purpose });
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      await dispatch({ type: "noList", reason: error.message, purpose });
    }
  }

  async function register(): Promise<void> {
    // Who is leaving is missing from the list with good reason.
    if (leaving || systemClock.now() < registerFrom) return;
    try {
      // If somebody else was quicker, the next list shows it.
      if ((await registry.create(me, session.address)) !== "created") return;
      if (shared) void askReach(false);
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      if (!(error instanceof RegistryRefused)) {
        return dispatch({ type: "noList", reason: error.message, purpose: { type: "poll" } });
      }
      registerFrom = systemClock.now() + 1000 * (error.waitSeconds ?? 0);
      await dispatch({ type: "notRegistered", reason: error.message });
    }
  }

  async function askReach(asked: boolean): Promise<void> {
    if (leaving) return;
    try {
      await dispatch({ type: "reach", found: await registry.reach(me), asked });
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      if (asked) await dispatch({ type: "refused", reason: error.message });
    }
  }

  async function users(): Promise<Users> {
    const purpose = { type: "heal" } as const;
    try {
      const users = await registry.list();
      await dispatch({ type: "list", users, purpose });
      return users;
    } catch (error) {
      if (error instanceof TalkError) await dispatch({ type: "noList", reason: error.message, purpose });
      throw error;
    }
  }

  async function send(to: UserName, text: string, { wait = false } = {}): Promise<Outcome> {
    if (leaving) return { type: "failed", reason: "you have left" };
    try {
      const body = encodeMessage({ user: me, text });
      const known = session.users.get(to);
      if (!wait) return await outbox.send(to, known, body);
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const outcome = await forwarder.send({ to, address: known, text, body }, resolve);
      if (outcome.type !== "waiting") return outcome;
      const waiting: Output = { type: "forwarded", to, text, outcome };
      await dispatch({ type: "told", outputs: [waiting] });
      return await promise;
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      return { type: "failed", reason: error.message };
    }
  }

  return {
    dispatch,
    known: () => session.users,
    users,
    send,
    room: outbox.room,
    left: left.promise,
    async poll() {
      await fetchList({ type: "poll" });
      await registering;
      return session.registryUp && !session.refused;
    },
    async close() {
      leaving = true;
      forwarder.close();
      await atMost(FAREWELL_MS, Promise.all([outbox.idle(), ...asked]));
      for (const [to, count] of outbox.unsettled()) await dispatch({ type: "unsettled", to, count });
      outbox.close();
      await dispatch({ type: "told", outputs: whatWaits(kept, forwarder) });
    },
  };
}
