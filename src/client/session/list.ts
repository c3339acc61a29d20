/** What a list from the registry changes: the users, the selection, and my own standing. */
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

/** Takes in a list. */
export function onList(before: Session, listed: Users, purpose: Purpose): Update {
  const standing = standingIn(listed, before);
  const isLoss = standing.type === "lost" && before.standing.type !== "lost";
  // A registry that lost me, such as by a restart, lost others too: they have until the next poll to register again.
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
  // After a pushed change, an attempt to register is already under way.
  if (standing.type === "lost" && (isLoss || !isTold)) cmds.push({ type: "register" });
  // Warn once per address; do not fight over the name.
  if (standing.type === "displaced" && standing !== before.standing)
    cmds.push(print({ type: "displaced", me: session.me, address: standing.address }));
  if (purpose.type !== "select") return [session, cmds];
  const [selected, more] = select(session, purpose.user);
  return [selected, [...cmds, ...more]];
}

/** Takes in that the registry did not answer. */
export function onNoList(before: Session, reason: string, purpose: Purpose): Update {
  const session = { ...before, registryUp: false };
  const cmds = before.registryUp ? [print({ type: "registry", up: false })] : [];
  const sentence = `${clause(reason)}; keeping the last known list`;
  if (purpose.type === "show") cmds.push(fail(sentence));
  if (purpose.type !== "select") return [session, cmds];
  const [next, more] = miss(session, sentence, purpose.user);
  return [next, [...cmds, ...more]];
}

/** My standing according to a list; the same object if unchanged. */
function standingIn(listed: Users, { me, address, standing }: Session): Standing {
  const mine = listed.get(me);
  if (!mine) return standing.type === "lost" ? standing : { type: "lost", refused: false };
  if (sameAddress(mine, address)) return { type: "registered" };
  if (standing.type === "moving" && sameAddress(mine, standing.from)) return standing;
  if (standing.type === "displaced" && sameAddress(mine, standing.address)) return standing;
  return { type: "displaced", address: mine };
}

/** Warns about users whose names differ from mine only in case. */
function twins({ me, users }: Session): Cmd[] {
  return [...users.keys()]
    .filter((user) => user !== me && user.toLowerCase() === me.toLowerCase())
    .map((user) =>
      warn(`${user} is here already, and others may take you for each other: only case differs`),
    );
}

/** Changes from the known list, except mine, and except a selected user's leaving, which is reported as `gone`. */
function changes({ me, selected, users: before }: Session, after: Users): Cmd[] {
  return differences(before, after)
    .filter(({ type, user }) => user !== me && !(type === "left" && user === selected))
    .map(print);
}
