/** What a list from the registry changes: who is there, who gets the messages, and where I stand myself. */
import { formatAddress, sameAddress } from "../../core/address.ts";
import { differences } from "../registry/listed-users.ts";
import type { Users } from "../registry/types.ts";
import {
  type Cmd,
  fail,
  miss,
  type Purpose,
  print,
  type Session,
  type Standing,
  select,
  type Update,
  warn,
} from "./model.ts";
import { clause } from "./sentences.ts";

const NOBODY: Users = new Map();

/** A list has come. */
export function onList(before: Session, listed: Users, purpose: Purpose): Update {
  const standing = standingIn(listed, before);
  const isLoss = standing.type === "lost" && before.standing.type !== "lost";
  // A registry that has lost me, as by a restart, has lost others too: they get until the next poll to register again.
  const isTold = purpose.type === "change";
  const isPatient = isLoss && (isTold || purpose.type === "poll" || purpose.type === "heal");
  const kept = isPatient ? before.users : isTold ? before.missing : NOBODY;
  const missing = new Map([...kept].filter(([user]) => !listed.has(user)));
  const users = missing.size > 0 ? new Map([...missing, ...listed]) : listed;
  const losses = before.losses + (isLoss ? 1 : 0);
  let session: Session = { ...before, users, standing, losses, missing, registryUp: true };
  const cmds: Cmd[] = [];
  if (session.byHand && losses === 2 && isLoss) {
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
  // After a change that is told, one attempt to register is on its way already.
  if (standing.type === "lost" && (isLoss || !isTold)) cmds.push({ type: "register" });
  // One warning for each address: who has taken the name is not fought.
  if (standing.type === "displaced" && standing !== before.standing)
    cmds.push(print({ type: "displaced", me: session.me, address: standing.address }));
  if (purpose.type !== "select") return [session, cmds];
  const [selected, more] = select(session, purpose.user);
  return [selected, [...cmds, ...more]];
}

/** The registry has not answered. */
export function onNoList(before: Session, reason: string, purpose: Purpose): Update {
  const session = { ...before, registryUp: false };
  const cmds = before.registryUp ? [print({ type: "registry", up: false })] : [];
  const sentence = `${clause(reason)}; keeping the last known list`;
  if (purpose.type === "show") cmds.push(fail(sentence));
  if (purpose.type !== "select") return [session, cmds];
  const [next, more] = miss(session, sentence, purpose.user);
  return [next, [...cmds, ...more]];
}

/** Where I stand by a list; the same object as before if that is so. */
function standingIn(listed: Users, { me, address, standing }: Session): Standing {
  const mine = listed.get(me);
  if (!mine) return standing.type === "lost" ? standing : { type: "lost", refused: false };
  if (sameAddress(mine, address)) return { type: "registered" };
  if (standing.type === "moving" && sameAddress(mine, standing.from)) return standing;
  if (standing.type === "displaced" && sameAddress(mine, standing.address)) return standing;
  return { type: "displaced", address: mine };
}

/** Those who were there before me under a name that differs from mine in case alone. */
function twins({ me, users }: Session): Cmd[] {
  return [...users.keys()]
    .filter((user) => user !== me && user.toLowerCase() === me.toLowerCase())
    .map((user) =>
      warn(`${user} is here already, and others may take you for each other: only case differs`),
    );
}

/** What differs from the known list, but for myself and for a selected user who left, who is told of as gone. */
function changes({ me, selected, users: before }: Session, after: Users): Cmd[] {
  return differences(before, after)
    .filter(({ type, user }) => user !== me && !(type === "left" && user === selected))
    .map(print);
}
