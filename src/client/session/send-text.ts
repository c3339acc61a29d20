import { TalkError } from "../../core/errors.ts";
import { encodeMessage } from "../../core/message.ts";
import type { UserName } from "../../core/schemas.ts";
import type { Outcome } from "../transports/types.ts";
import { print, type Session, type Update } from "./model.ts";

/** Sends a text to a user, who is looked up first if need be; a text that cannot be encoded fails at once. */
export function sendText(session: Session, to: UserName, text: string): Update {
  const { me, users, sent: id } = session;
  const next = { ...session, sent: id + 1 };
  const sending = print({ type: "sending", id, to, text });
  try {
    const body = encodeMessage({ user: me, text });
    return [next, [sending, { type: "send", id, to, address: users.get(to), text, body }]];
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    const outcome: Outcome = { type: "failed", reason: error.message, permanent: true };
    return [next, [sending, print({ type: "outcome", id, to, text, outcome })]];
  }
}
