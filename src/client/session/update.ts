/** The chat itself, without I/O or clock: what each message (Msg) changes, and the commands (Cmd) that follow. */
import { formatAddress } from "../../core/address.ts";
import { PROTOCOLS } from "../../core/protocol.ts";
import type { Address, Message } from "../../core/schemas.ts";
import { nearestUser } from "../registry/listed-users.ts";
import type { Reach } from "../registry/types.ts";
import type { Outcome } from "../transports/types.ts";
import { settleBroadcast } from "./broadcast.ts";
import { runLine } from "./commands.ts";
import { onList, onNoList } from "./list.ts";
import { fail, keep, type Msg, print, type Session, type Undelivered, type Update, warn } from "./model.ts";
import { sendText } from "./send-text.ts";
import { countUnread } from "./unread.ts";

/** Most doubtful senders remembered; beyond that, a warning may repeat. */
const MAX_WARNED_ABOUT = 1000;

/** Handles a message: the new session, and the effects to run. */
export function update(session: Session, msg: Msg): Update {
  switch (msg.type) {
    case "started": {
      const { me, address } = session;
      const welcome = print({ type: "welcome", me, address, port: msg.port, portInUse: msg.portInUse });
      return [session, [welcome, { type: "fetchList", purpose: { type: "show" } }]];
    }
    case "line":
      return runLine(session, msg);
    case "text":
      return sendText(session, msg.to, msg.text);
    case "refused":
      return [session, [fail(msg.reason)]];
    case "message":
      return onMessage(session, msg.message, msg.doubt);
    case "excess": {
      const { source, count, perSecond } = msg;
      const sentence = `refused ${count} messages from ${source}, which sends more than ${perSecond} a second`;
      return [session, [warn(sentence)]];
    }
    case "list":
      return onList(session, msg.users, msg.purpose);
    case "noList":
      return onNoList(session, msg.reason, msg.purpose);
    case "outcome": {
      const known = explained(session, msg);
      if (session.broadcasts.length === 0) return [onOutcome(session, known), [print(known)]];
      const { session: next, grouped, cmds } = settleBroadcast(onOutcome(session, known), known);
      const told = print({ ...known, ...(grouped && { grouped: true }) });
      return [next, [told, ...cmds]];
    }
    case "forwarded":
      return [onOutcome(session, msg), [print(msg)]];
    case "told":
      return [session, msg.outputs.map(print)];
    case "unsettled": {
      const what = msg.count === 1 ? "1 message" : `${msg.count} messages`;
      return [session, [fail(`left before ${what} to ${msg.to} could be delivered`)]];
    }
    case "noKey":
      return [session, [warn(`anybody can take the name ${session.me} from you: ${msg.reason}`)]];
    case "notRegistered": {
      const { standing } = session;
      if (standing.type !== "lost" || standing.refused) return [session, []];
      const sentence = `others cannot find you, and you are not registered again: ${msg.reason}`;
      return [{ ...session, standing: { type: "lost", refused: true } }, [warn(sentence)]];
    }
    case "stillRegistered":
      return [
        session,
        [fail(`the registry could not be asked to remove ${session.me}; it does so at its next check`)],
      ];
    case "registered":
      return [session, [{ type: "askReach", asked: false }]];
    case "readdressed": {
      const standing = { type: "moving", from: session.address } as const;
      return [{ ...session, address: msg.address, standing, losses: 0, unreached: false }, []];
    }
    case "moved":
      return [
        session,
        [print({ type: "address", address: session.address }), { type: "askReach", asked: false }],
      ];
    case "reach":
      return onReach(session, msg.found, msg.asked);
    case "note":
      return [session, [warn(msg.sentence)]];
  }
}

/** Marks a doubtful message but never hides it: some routers rewrite addresses. */
function onMessage(before: Session, message: Message, doubt: string | undefined): Update {
  const session = { ...before, inbox: countUnread(before.inbox, message.user, before.selected) };
  if (doubt === undefined) return [session, [print({ type: "message", message })]];
  const shown = print({ type: "message", message, doubtful: true });
  const { warnedAbout } = session;
  if (warnedAbout.has(message.user)) return [session, [shown]];
  session.warnedAbout = new Set([...(warnedAbout.size < MAX_WARNED_ABOUT ? warnedAbout : []), message.user]);
  return [session, [warn(doubt), shown]];
}

type Settled = Extract<Msg, { type: "outcome" }>;

/** Explains a failure to an unknown user: a mistyped name would fail again; another may show up later. */
function explained({ users }: Session, msg: Settled): Settled {
  const { to, outcome } = msg;
  if (outcome.type !== "failed" || !outcome.unknown) return msg;
  const meant = nearestUser(to, users);
  if (meant !== undefined) {
    const reason = `${outcome.reason}; did you mean ${meant}?`;
    return { ...msg, outcome: { type: "failed", reason, permanent: true } };
  }
  return { ...msg, outcome: { ...outcome, reason: `${outcome.reason}, so your text does not wait` } };
}

function onOutcome(session: Session, { to, text, outcome }: Undelivered & { outcome: Outcome }): Session {
  switch (outcome.type) {
    case "delivered":
    case "sent":
    case "waiting":
      return session;
    case "unanswered":
    case "broken":
      return keep(session, { to, text });
    case "failed":
      return outcome.permanent ? session : keep(session, { to, text });
  }
}

/** Reports what was asked for; unasked, only bad news, and once. */
function onReach(session: Session, found: Reach | undefined, asked: boolean): Update {
  const { address } = session;
  if (!found) return [session, asked ? [fail("this registry cannot tell whether it reaches you")] : []];
  if (found.reached) {
    const reached = print({ type: "reached", address, from: found.from });
    return [{ ...session, unreached: false, losses: 0 }, asked ? [reached] : []];
  }
  const sentence = unreachedSentence(address, found);
  if (asked) return [{ ...session, unreached: true }, [fail(sentence)]];
  return [{ ...session, unreached: true }, session.unreached ? [] : [warn(sentence)]];
}

function unreachedSentence(address: Address, { reason, from }: Reach): string {
  const { protocol, port } = address;
  return (
    `others may not reach you at ${formatAddress(address)} over ${protocol}: the registry ` +
    `${from === undefined ? "" : `at ${from} `}tried, and found: ${reason}. ` +
    `Behind a firewall, open ${PROTOCOLS[protocol].transport} port ${port}; behind NAT or in a container, say ` +
    "with --public-url how others reach you; if the address is not yours, give the right one with --host. " +
    ":reach tries again"
  );
}
