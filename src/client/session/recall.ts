/** Commands on local storage: the transcript and waiting texts. */
import { isUserName } from "../../core/names.ts";
import { fail, type Session, type Update } from "./model.ts";

/** Most messages :last shows, and how many by default. */
const MAX_LAST = 10_000;
const DEFAULT_LAST = 20;

/** `:last [user] [n]`: a lone number is a count, not a user. */
export function last(session: Session, argument: string): Update {
  const words = argument.split(/\s+/).filter((word) => word !== "");
  const number = /^\d+$/.test(words.at(-1) ?? "") ? Number(words.pop()) : DEFAULT_LAST;
  const [user, ...more] = words;
  const isName = user === undefined || isUserName(user);
  if (more.length > 0 || !isName || number < 1) return [session, [fail("usage: :last [user] [number]")]];
  const count = Math.min(number, MAX_LAST);
  return [session, [{ type: "ask", question: { type: "last", user, count } }]];
}

export function find(session: Session, word: string): Update {
  if (word === "") return [session, [fail("usage: :find <word>")]];
  return [session, [{ type: "ask", question: { type: "find", word } }]];
}

export function dropWaiting(session: Session, user: string): Update {
  const question = { type: "drop", user: user === "" ? undefined : user } as const;
  return [session, [{ type: "ask", question }]];
}
