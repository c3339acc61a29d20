/** The chat itself: what each message (Msg) changes, and which commands (Cmd) follow from it. No I/O, no clock, no console. */
import { formatAddress, sameAddress } from "../../core/address.ts";
import type { Address, Message } from "../../core/schemas.ts";
import type { Reach } from "../registry/api.ts";
import { differences, type Users } from "../registry/listed-users.ts";
import type { Outcome } from "../transports/types.ts";
import { runLine, sendText } from "./commands.ts";
import {
  type Cmd,
  fail,
  keep,
  type Msg,
  type Purpose,
  print,
  type Session,
  select,
  type Undelivered,
  type Update,
  warn,
} from "./model.ts";
import { clause } from "./sentences.ts";
import { countUnread } from "./unread.ts";

/** Most doubtful senders that are remembered; beyond, one may be told of twice. */
const MAX_WARNED_ABOUT = 1000;

const NOBODY: Users = new Map();

/** What a message changes, and what is to be done about it. */
export function update(session: Session, msg: Msg): Update {
  switch (msg.type) {
    case "started": {
      const { me, address } = session;
      const welcome = print({ type: "welcome", me, address, port: msg.port, portInUse: msg.portInUse });
      return [session, [welcome, { type: "fetchList", purpose: { type: "show" } }]];
    }
    case "line":
      return runLine(session, msg.text);
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
    case "outcome":
      return [onOutcome(session, msg), [print(msg)]];
    case "unsettled": {
      const what = msg.count === 1 ? "1 message" : `${msg.count} messages`;
      return [session, [fail(`left before ${what} to ${msg.to} could be delivered`)]];
    }
    case "noKey":
      return [session, [warn(`anybody can take the name ${session.me} from you: ${msg.reason}`)]];
    case "notRegistered": {
      if (session.refused) return [session, []];
      const sentence = `others cannot find you, and you are not registered again: ${msg.reason}`;
      return [{ ...session, refused: true }, [warn(sentence)]];
    }
    case "stillRegistered":
      return [session, [fail(`the registry could not be asked to remove ${session.me}`)]];
    case "registered":
      return [session, [{ type: "askReach", asked: false }]];
    case "readdressed":
      // Until the registry has been told, to be listed where I was is no surprise.
      return [
        { ...session, address: msg.address, elsewhere: session.address, losses: 0, unreached: false },
        [],
      ];
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

/** A doubtful message is shown as one, never kept from the user: there are routers that change addresses. */
function onMessage(before: Session, message: Message, doubt: string | undefined): Update {
  const session = { ...before, inbox: countUnread(before.inbox, message.user, before.selected) };
  if (doubt === undefined) return [session, [print({ type: "message", message })]];
  const shown = print({ type: "message", message, doubtful: true });
  const { warnedAbout } = session;
  if (warnedAbout.has(message.user)) return [session, [shown]];
  session.warnedAbout = new Set([...(warnedAbout.size < MAX_WARNED_ABOUT ? warnedAbout : []), message.user]);
  return [session, [warn(doubt), shown]];
}

function onOutcome(session: Session, { to, text, outcome }: Undelivered & { outcome: Outcome }): Session {
  const arrived = outcome.type === "delivered" || outcome.type === "sent";
  const hopeless = outcome.type === "failed" && outcome.permanent === true;
  return arrived || hopeless ? session : keep(session, { to, text });
}

function onList(before: Session, listed: Users, purpose: Purpose): Update {
  const lost = !listed.has(before.me);
  // A registry that has lost me, as by a restart, has lost others too: they get until the next poll to register again.
  const isTold = purpose.type === "change";
  const isFirstLoss = lost && !before.lost && (isTold || purpose.type === "poll" || purpose.type === "heal");
  const kept = isFirstLoss ? before.users : isTold ? before.missing : NOBODY;
  const missing = new Map([...kept].filter(([user]) => !listed.has(user)));
  const users = missing.size > 0 ? new Map([...missing, ...listed]) : listed;
  const losses = before.losses + (lost && !before.lost ? 1 : 0);
  let session: Session = { ...before, users, lost, losses, missing, registryUp: true };
  const cmds: Cmd[] = [];
  if (session.byHand && losses === 2 && before.losses === 1) {
    cmds.push(
      warn(
        `the registry has lost you twice at ${formatAddress(session.address)}; if others cannot reach you there, ` +
          "as behind NAT or a proxy, say with --public-url how they do",
      ),
    );
  }
  if (!before.registryUp) cmds.push(print({ type: "registry", up: true }));
  if (before.users.size === 0) cmds.push(...twins(session));
  if (purpose.type === "show") cmds.push(print({ type: "users", users, me: session.me }));
  else cmds.push(...changes(before, users));
  const { selected: user } = session;
  const address = user === undefined ? undefined : before.users.get(user);
  if (user !== undefined && address && !users.has(user)) {
    session = { ...session, selected: undefined };
    cmds.push(print({ type: "gone", user, address }));
  }
  let more: Cmd[];
  [session, more] = findMyself(session);
  // One attempt is on its way already.
  if (isTold && before.lost) more = more.filter(({ type }) => type !== "register");
  cmds.push(...more);
  if (purpose.type === "select") {
    [session, more] = select(session, purpose.user);
    cmds.push(...more);
  }
  return [session, cmds];
}

/** Those who were there before me under a name that differs from mine in case alone. */
function twins({ me, users }: Session): Cmd[] {
  return [...users.keys()]
    .filter((user) => user !== me && user.toLowerCase() === me.toLowerCase())
    .map((user) =>
      warn(`${user} is here already, and others may take you for each other: only case differs`),
    );
}

function onNoList(before: Session, reason: string, purpose: Purpose): Update {
  const session = { ...before, registryUp: false };
  const cmds = before.registryUp ? [print({ type: "registry", up: false })] : [];
  if (purpose.type === "show" || purpose.type === "select")
    cmds.push(fail(`${clause(reason)}; the known list stays`));
  return [session, cmds];
}

/** Tells of what was asked for, and else only of bad news, once. */
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
  const transport = protocol === "UDP" ? "UDP" : "TCP";
  return (
    `others may not reach you at ${formatAddress(address)} over ${protocol}: the registry ` +
    `${from === undefined ? "" : `at ${from} `}tried, and found: ${reason}. ` +
    `Behind a firewall, open ${transport} port ${port}; behind NAT or in a container, say with --public-url ` +
    "how others reach you; if the address is not yours, give the right one with --host. :reach tries again"
  );
}

/** What differs from the known list, but for myself and for a selected user who left, who is told of as gone. */
function changes({ me, selected, users: before }: Session, after: Users): Cmd[] {
  return differences(before, after)
    .filter(({ type, user }) => user !== me && !(type === "left" && user === selected))
    .map(print);
}

/** Registers again what the registry has lost, and does not fight over a name that somebody else has taken. */
function findMyself(session: Session): Update {
  const { me, address, users, elsewhere, lost } = session;
  const listed = users.get(me);
  if (lost || !listed) return [{ ...session, elsewhere: undefined }, [{ type: "register" }]];
  if (sameAddress(listed, address)) return [{ ...session, elsewhere: undefined, refused: false }, []];
  if (elsewhere && sameAddress(listed, elsewhere)) return [session, []];
  return [
    { ...session, elsewhere: listed, refused: false },
    [print({ type: "displaced", me, address: listed })],
  ];
}
