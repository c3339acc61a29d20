/** Texts to several users at once, with one combined result. */
import type { UserName } from "../../core/schemas.ts";
import type { Outcome } from "../transports/types.ts";
import { type Cmd, fail, print, type Session, type Update } from "./model.ts";
import { sendText } from "./send-text.ts";

const USAGE = "usage: :to <user>[,<user>…] <text>";

/** `:to`: sends a text without selecting anybody. */
export function sendTo(session: Session, argument: string): Update {
  const [, names = "", text = ""] = /^(\S+)\s+(.+)$/su.exec(argument) ?? [];
  const to = [...new Set(names.split(",").filter((name) => name !== ""))];
  const [only, ...others] = to;
  if (only === undefined) return [session, [fail(USAGE)]];
  return others.length === 0 ? sendText(session, only, text) : broadcast(session, to, text);
}

/** `:all`: sends a text to everybody in the known list except me. */
export function sendToAll(session: Session, text: string): Update {
  if (text === "") return [session, [fail("usage: :all <text>")]];
  const to = [...session.users.keys()].filter((user) => user !== session.me).sort();
  if (to.length === 0) return [session, [fail("nobody else is here; :update asks again")]];
  return broadcast(session, to, text);
}

function broadcast(session: Session, to: readonly UserName[], text: string): Update {
  const id = session.sent;
  const cmds: Cmd[] = [print({ type: "broadcasting", id, to, text })];
  let next: Session = {
    ...session,
    broadcasts: [...session.broadcasts, { id, to, text, outcomes: new Map() }],
  };
  for (const user of to) {
    const [after, more] = sendText(next, user, text);
    next = after;
    for (const cmd of more) {
      if (cmd.type !== "print") cmds.push(cmd);
      else if (cmd.output.type === "sending") cmds.push(print({ ...cmd.output, grouped: true }));
      // A text that cannot be encoded for one user cannot be for any.
      else if (cmd.output.type === "outcome" && cmd.output.outcome.type === "failed")
        return [session, [fail(cmd.output.outcome.reason)]];
    }
  }
  return [next, cmds];
}

/** Takes in one outcome of a broadcast; reports the result once all are in. */
export function settleBroadcast(
  session: Session,
  { id, to, outcome }: { id: number; to: UserName; outcome: Outcome },
): { session: Session; grouped: boolean; cmds: Cmd[] } {
  const found = session.broadcasts.find((one) => id >= one.id && id < one.id + one.to.length);
  if (!found) return { session, grouped: false, cmds: [] };
  found.outcomes.set(to, outcome);
  if (found.outcomes.size < found.to.length) return { session, grouped: true, cmds: [] };
  const broadcasts = session.broadcasts.filter((one) => one !== found);
  const { text, outcomes } = found;
  const result = print({ type: "broadcast", id: found.id, text, outcomes });
  return { session: { ...session, broadcasts }, grouped: true, cmds: [result] };
}
