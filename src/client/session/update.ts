/** The chat itself: what each event changes and calls for. No I/O, no clock, no console. */
import { formatAddress, sameAddress } from "../../core/address.ts";
import type { Address, Message } from "../../core/schemas.ts";
import type { Reach } from "../registry/api.ts";
import type { Users } from "../registry/listed-users.ts";
import type { Outcome } from "../transports/types.ts";
import { runLine, sendText } from "./commands.ts";
import {
  type Effect,
  type Event,
  fail,
  keep,
  type Purpose,
  print,
  type Session,
  type Step,
  select,
  type Undelivered,
  warn,
} from "./model.ts";
import { clause } from "./sentences.ts";
import { hear } from "./unread.ts";

/** Most doubtful senders that are remembered; beyond, one may be told of twice. */
const MAX_DOUBTED = 1000;

/** What an event changes, and what it calls for. */
export function step(session: Session, event: Event): Step {
  switch (event.type) {
    case "started": {
      const { me, address } = session;
      const welcome = print({ type: "welcome", me, address, port: event.port, portInUse: event.portInUse });
      return [session, [welcome, { type: "fetchList", purpose: { type: "show" } }]];
    }
    case "line":
      return runLine(session, event.text);
    case "text":
      return sendText(session, event.to, event.text);
    case "refused":
      return [session, [fail(event.reason)]];
    case "message":
      return takeMessage(session, event.message, event.doubt);
    case "excess": {
      const { source, count, perSecond } = event;
      const sentence = `refused ${count} messages from ${source}, which sends more than ${perSecond} a second`;
      return [session, [warn(sentence)]];
    }
    case "list":
      return takeList(session, event.users, event.purpose);
    case "noList":
      return missList(session, event.reason, event.purpose);
    case "outcome":
      return [takeOutcome(session, event), [print({ ...event, type: "fate" })]];
    case "unsettled": {
      const what = event.count === 1 ? "1 message" : `${event.count} messages`;
      return [session, [fail(`left before ${what} to ${event.to} could be delivered`)]];
    }
    case "noKey":
      return [session, [warn(`anybody can take the name ${session.me} from you: ${event.reason}`)]];
    case "notRegistered": {
      if (session.refused) return [session, []];
      const sentence = `others cannot find you, and you are not registered again: ${event.reason}`;
      return [{ ...session, refused: true }, [warn(sentence)]];
    }
    case "stillRegistered":
      return [session, [fail(`the registry could not be asked to remove ${session.me}`)]];
    case "registered":
      return [session, [{ type: "askReach", asked: false }]];
    case "readdressed":
      // Until the registry has been told, to be listed where I was is no surprise.
      return [
        { ...session, address: event.address, elsewhere: session.address, losses: 0, unreached: false },
        [],
      ];
    case "moved":
      return [
        session,
        [print({ type: "address", address: session.address }), { type: "askReach", asked: false }],
      ];
    case "reach":
      return takeReach(session, event.found, event.asked);
    case "note":
      return [session, [warn(event.sentence)]];
  }
}

/** A doubtful message is shown as one, never kept from the user: there are routers that change addresses. */
function takeMessage(before: Session, message: Message, doubt: string | undefined): Step {
  const session = { ...before, inbox: hear(before.inbox, message.user, before.selected) };
  if (doubt === undefined) return [session, [print({ type: "message", message })]];
  const shown = print({ type: "message", message, doubtful: true });
  const { doubted } = session;
  if (doubted.has(message.user)) return [session, [shown]];
  session.doubted = new Set([...(doubted.size < MAX_DOUBTED ? doubted : []), message.user]);
  return [session, [warn(doubt), shown]];
}

function takeOutcome(session: Session, { to, text, outcome }: Undelivered & { outcome: Outcome }): Session {
  const arrived = outcome.type === "delivered" || outcome.type === "sent";
  const hopeless = outcome.type === "failed" && outcome.permanent === true;
  return arrived || hopeless ? session : keep(session, { to, text });
}

function takeList(before: Session, listed: Users, purpose: Purpose): Step {
  const lost = !listed.has(before.me);
  // A registry that has lost me, as by a restart, has lost others too: they get one more list to register again.
  const patient = lost && !before.lost && (purpose.type === "poll" || purpose.type === "heal");
  const users = patient ? new Map([...before.users, ...listed]) : listed;
  const losses = before.losses + (lost && !before.lost ? 1 : 0);
  let session: Session = { ...before, users, lost, losses, registryUp: true };
  const effects: Effect[] = [];
  if (session.byHand && losses === 2 && before.losses === 1) {
    effects.push(
      warn(
        `the registry has lost you twice at ${formatAddress(session.address)}; if others cannot reach you there, ` +
          "as behind NAT or a proxy, say with --public-url how they do",
      ),
    );
  }
  if (!before.registryUp) effects.push(print({ type: "registry", up: true }));
  if (before.users.size === 0) effects.push(...twins(session));
  if (purpose.type === "show") effects.push(print({ type: "users", users, me: session.me }));
  else effects.push(...changes(before, users));
  const { selected: user } = session;
  const address = user === undefined ? undefined : before.users.get(user);
  if (user !== undefined && address && !users.has(user)) {
    session = { ...session, selected: undefined };
    effects.push(print({ type: "gone", user, address }));
  }
  let more: Effect[];
  [session, more] = findMyself(session);
  effects.push(...more);
  if (purpose.type === "select") {
    [session, more] = select(session, purpose.user);
    effects.push(...more);
  }
  return [session, effects];
}

/** Those who were there before me under a name that differs from mine in case alone. */
function twins({ me, users }: Session): Effect[] {
  return [...users.keys()]
    .filter((user) => user !== me && user.toLowerCase() === me.toLowerCase())
    .map((user) =>
      warn(`${user} is here already, and others may take you for each other: only case differs`),
    );
}

function missList(before: Session, reason: string, purpose: Purpose): Step {
  const session = { ...before, registryUp: false };
  const effects = before.registryUp ? [print({ type: "registry", up: false })] : [];
  if (purpose.type === "show" || purpose.type === "select")
    effects.push(fail(`${clause(reason)}; the known list stays`));
  return [session, effects];
}

/** Tells of what was asked for, and else only of bad news, once. */
function takeReach(session: Session, found: Reach | undefined, asked: boolean): Step {
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
function changes({ me, selected, users: before }: Session, after: Users): Effect[] {
  const effects: Effect[] = [];
  for (const [user, address] of after) {
    if (user === me) continue;
    const known = before.get(user);
    if (!known) effects.push(print({ type: "joined", user, address }));
    else if (!sameAddress(known, address)) effects.push(print({ type: "moved", user, address }));
  }
  for (const [user, address] of before) {
    if (user === me || user === selected || after.has(user)) continue;
    effects.push(print({ type: "left", user, address }));
  }
  return effects;
}

/** Registers again what the registry has lost, and does not fight over a name that somebody else has taken. */
function findMyself(session: Session): Step {
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
