/** The client runtime: connects the session, which does no I/O, to registry, endpoint and outbox. */
import { atMost, systemClock } from "../core/clock.ts";
import { RegistryRefused, TalkError } from "../core/errors.ts";
import { encodeMessage } from "../core/message.ts";
import type { UserName } from "../core/schemas.ts";
import { createSenderCheck } from "./inbound/sender-check.ts";
import type { Joined } from "./join.ts";
import { createOutbox } from "./outbound/outbox.ts";
import { createStoreAndForward, type WaitingEvent } from "./outbound/store-and-forward.ts";
import { followAddress } from "./registry/follow-address.ts";
import { type Following, followChanges } from "./registry/follow-changes.ts";
import { isPresent } from "./registry/liveness.ts";
import { startPolling } from "./registry/poll-list.ts";
import type { Users } from "./registry/types.ts";
import { mayRunAtOnce } from "./session/commands.ts";
import {
  type Cmd,
  type Input,
  type Msg,
  type Output,
  type Purpose,
  type Session,
  startSession,
} from "./session/model.ts";
import { update } from "./session/update.ts";
import { answer, record, whatWaits } from "./storage/answers.ts";
import type { Kept } from "./storage/index.ts";
import type { Outcome } from "./transports/types.ts";

/** How long leaving waits for messages in flight, in milliseconds. */
const FAREWELL_MS = 2500;

export interface Runtime {
  /** Resolves once the list has been requested; messages are shown from then on. */
  started: Promise<void>;
  /**
   * Handles input; resolves when the next may come: once fewer than 500 messages are unsent, and no `:user` lookup is
   * pending.
   */
  input(input: Input): Promise<void>;
  /** Asks the registry for the list. @throws RegistryUnreachable, NoRegistry, RegistryRefused */
  users(): Promise<Users>;
  /** Sends a text to a user, listed or not. Never rejects. @param options `wait` keeps a text to an absent user */
  send(to: UserName, text: string, options?: { wait?: boolean }): Promise<Outcome>;
  /** Resolves once the user asks to leave. */
  left: Promise<void>;
  /** Unregisters, finishes sending, and stops listening, within 3 s. */
  leave(): Promise<void>;
}

export interface RuntimeOptions {
  /** Milliseconds between checks of the registry's list, ±20 %. */
  interval: number;
  /** The transcript and waiting texts. */
  kept: Kept;
  /** Whether senders should wait, because too much output is unread. @default never */
  isFull?: (() => boolean) | undefined;
  /** Whether a prompt shows the selected user. @default no */
  hasPrompt?: boolean;
  /** Called with each output. */
  onOutput: (output: Output) => void;
  /** Called when the session changes. */
  onChange: (session: Session) => void;
}

export function startRuntime(
  { endpoint, registration, registry, rateLimit, noKey, shared, mayContact }: Joined,
  { interval, kept, isFull = () => false, hasPrompt = false, onOutput, onChange }: RuntimeOptions,
): Runtime {
  const { name: me } = registration;
  const outbox = createOutbox(async (user) => (await users()).get(user), rateLimit, mayContact);
  const forwarder = createStoreAndForward({
    me,
    texts: kept.waiting,
    transmit: outbox.send,
    refresh: () => fetchList({ type: "poll" }),
    isPresent: (address) => isPresent(address, mayContact),
    clock: systemClock,
    random: Math.random,
    onEvent: onWaiting,
  });
  const senderCheck = createSenderCheck({ refresh: poll, clock: systemClock });
  const follower = endpoint.follows
    ? followAddress({
        endpoint,
        registration,
        onReaddressed: (address) => dispatch({ type: "readdressed", address }),
        onMoved: () => dispatch({ type: "moved" }),
      })
    : undefined;
  const left = Promise.withResolvers<void>();
  let session = startSession(me, endpoint.address, { byHand: !endpoint.follows && shared, hasPrompt });
  let stopPolling = () => {};
  let changes: Following | undefined;
  let leaving = false;
  /** List requests in flight. */
  const fetching = new Set<Promise<void>>();
  let selecting = Promise.resolve();
  let asking = Promise.resolve();
  let renewing = Promise.resolve();

  /** Updates the session, then runs its commands: prints at once and in order; requests run in the background. */
  function dispatch(msg: Msg): void {
    const before = session;
    const [next, cmds] = update(before, msg);
    session = next;
    if (next !== before) onChange(next);
    if (next.users !== before.users) senderCheck.learn(next.users);
    if (msg.type === "message" && msg.doubt === undefined) forwarder.heard(msg.message.user);
    for (const cmd of cmds) run(cmd);
    if (msg.type === "list") forwarder.listed(next.users);
  }

  function onWaiting(event: WaitingEvent): void {
    switch (event.type) {
      case "settled":
        dispatch({ ...event, type: "forwarded" });
        break;
      case "forwarded":
        tell({ ...event, type: "back" });
        break;
      case "elsewhere":
        tell(event);
    }
  }

  function tell(...outputs: Output[]): void {
    dispatch({ type: "told", outputs });
  }

  function run(cmd: Cmd): void {
    switch (cmd.type) {
      case "print":
        record(kept.transcript, cmd.output);
        onOutput(cmd.output);
        return;
      case "ask":
        tell(...answer(cmd.question, kept, forwarder));
        return;
      case "fetchList": {
        const fetched = beside(fetchList(cmd.purpose));
        fetching.add(fetched);
        void fetched.finally(() => fetching.delete(fetched));
        if (cmd.purpose.type === "select") selecting = fetched;
        return;
      }
      case "send": {
        const { id, to, address, text, body } = cmd;
        void forwarder
          .send({ to, address, text, body })
          .then((outcome) => dispatch({ type: "outcome", id, to, text, outcome }));
        return;
      }
      case "register":
        renewing = beside(renew());
        return;
      case "askReach":
        if (cmd.asked) asking = beside(askReach(true));
        else if (shared) void beside(askReach(false));
        return;
      case "leave":
        leaving = true;
        // The registry checks reachability only of registered users.
        void asking.then(left.resolve);
    }
  }

  /** Runs a background task: a bug in it is reported, but keeps nobody from chatting or leaving. */
  function beside(task: Promise<void>): Promise<void> {
    return task.catch((error) => {
      const message = error instanceof Error ? error.message : String(error);
      dispatch({ type: "refused", reason: `Talk failed, please report it: ${message}` });
    });
  }

  async function input(input: Input): Promise<void> {
    if (input.type === "line" && !mayRunAtOnce(input.text)) await selecting;
    // Ignore input piped in after `:exit`.
    if (leaving) return;
    dispatch(input);
    await outbox.room();
  }

  async function list(): Promise<Users> {
    const since = changes?.position() ?? 0;
    const users = await registry.list();
    return changes?.know(users, since) ?? users;
  }

  async function fetchList(purpose: Purpose): Promise<void> {
    try {
      dispatch({ type: "list", users: await list(), purpose });
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      dispatch({ type: "noList", reason: error.message, purpose });
    }
  }

  async function renew(): Promise<void> {
    // While leaving, it is right that the list lacks us.
    if (leaving) return;
    try {
      if ((await registration.renew(session.address)) && shared) void beside(askReach(false));
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      if (error instanceof RegistryRefused) dispatch({ type: "notRegistered", reason: error.message });
      else dispatch({ type: "noList", reason: error.message, purpose: { type: "poll" } });
    }
  }

  async function askReach(asked: boolean): Promise<void> {
    if (leaving) return;
    try {
      dispatch({ type: "reach", found: await registry.reach(me), asked });
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      if (asked) dispatch({ type: "refused", reason: error.message });
    }
  }

  async function users(): Promise<Users> {
    const purpose = { type: "heal" } as const;
    try {
      const users = await list();
      dispatch({ type: "list", users, purpose });
      return users;
    } catch (error) {
      if (error instanceof TalkError) dispatch({ type: "noList", reason: error.message, purpose });
      throw error;
    }
  }

  /** Polls the list; false if the registry did not answer, or refused to register us. */
  async function poll(): Promise<boolean> {
    await beside(fetchList({ type: "poll" }));
    await renewing;
    const { registryUp, standing } = session;
    return registryUp && !(standing.type === "lost" && standing.refused);
  }

  async function start(): Promise<void> {
    dispatch({ type: "started", port: endpoint.port, portInUse: endpoint.portInUse });
    await Promise.all(fetching);
    tell(...whatWaits(kept, forwarder));
    if (noKey !== undefined) dispatch({ type: "noKey", reason: noKey });
    endpoint.open((inbound) => {
      if (inbound.type === "excess") return dispatch(inbound);
      const { message, source } = inbound;
      dispatch({ type: "message", message, doubt: senderCheck.doubt(message.user, source) });
    }, isFull);
    if (endpoint.note !== undefined) dispatch({ type: "note", sentence: endpoint.note });
    if (leaving) return;
    dispatch({ type: "registered" });
    follower?.start();
    changes = followChanges(registry.url, {
      onUsers: (users) => dispatch({ type: "list", users, purpose: { type: "change" } }),
      onAway: (reason) => dispatch({ type: "noList", reason, purpose: { type: "poll" } }),
    });
    async function ask() {
      const answered = await poll();
      if (!answered) await follower?.look(true);
      return answered;
    }
    stopPolling = startPolling({ ask, interval, clock: systemClock, random: Math.random });
  }

  async function settle(): Promise<void> {
    forwarder.close();
    await atMost(FAREWELL_MS, Promise.all([outbox.idle(), ...fetching]));
    await outbox.close();
    for (const [to, count] of outbox.unsettled()) dispatch({ type: "unsettled", to, count });
    tell(...whatWaits(kept, forwarder));
  }

  return {
    started: start(),
    input,
    users,
    async send(to, text, { wait = false } = {}) {
      if (leaving) return { type: "failed", reason: "you have left" };
      try {
        const body = encodeMessage({ user: me, text });
        const address = session.users.get(to);
        if (!wait) return await outbox.send(to, address, body);
        const { promise, resolve } = Promise.withResolvers<Outcome>();
        const outcome = await forwarder.send({ to, address, text, body }, resolve);
        if (outcome.type !== "waiting") return outcome;
        tell({ type: "forwarded", to, text, outcome });
        return await promise;
      } catch (error) {
        if (!(error instanceof TalkError)) throw error;
        return { type: "failed", reason: error.message };
      }
    },
    left: left.promise,
    async leave() {
      leaving = true;
      stopPolling();
      follower?.stop();
      changes?.stop();
      const [unregistered] = await Promise.all([registration.unregister(endpoint.address), settle()]);
      if (!unregistered) dispatch({ type: "stillRegistered" });
      await endpoint.close();
    },
  };
}
