/** Who wrote to me, and what of it is not read yet. */
import type { UserName } from "../../core/schemas.ts";

export interface Inbox {
  /** Who wrote last. */
  last: UserName | undefined;
  /** How many messages came from each user who was not selected then. */
  unread: ReadonlyMap<UserName, number>;
}

/** Most users whose messages are counted, because anybody can write under any number of names. */
const MAX_USERS = 100;

/** Nobody has written yet. */
export function startInbox(): Inbox {
  return { last: undefined, unread: new Map() };
}

/** A message came; who is selected is read at once. */
export function countUnread({ unread }: Inbox, from: UserName, selected: UserName | undefined): Inbox {
  if (from === selected || (unread.size >= MAX_USERS && !unread.has(from))) return { last: from, unread };
  return { last: from, unread: new Map(unread).set(from, (unread.get(from) ?? 0) + 1) };
}

/** Nothing of a user is unread any more. */
export function markRead(inbox: Inbox, user: UserName): Inbox {
  const unread = new Map(inbox.unread);
  return unread.delete(user) ? { ...inbox, unread } : inbox;
}
