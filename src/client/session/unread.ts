/** Who wrote last, and unread counts. */
import type { UserName } from "../../core/schemas.ts";

export interface Inbox {
  /** Who wrote last. */
  last: UserName | undefined;
  /** Messages from each user who was not selected at the time. */
  unread: ReadonlyMap<UserName, number>;
}

/** Most users counted: one attacker can use any number of names. */
const MAX_USERS = 100;

/** An empty inbox. */
export function startInbox(): Inbox {
  return { last: undefined, unread: new Map() };
}

/** Counts a message; from the selected user, it is read at once. */
export function countUnread({ unread }: Inbox, from: UserName, selected: UserName | undefined): Inbox {
  if (from === selected || (unread.size >= MAX_USERS && !unread.has(from))) return { last: from, unread };
  return { last: from, unread: new Map(unread).set(from, (unread.get(from) ?? 0) + 1) };
}

/** Marks everything from a user as read. */
export function markRead(inbox: Inbox, user: UserName): Inbox {
  const unread = new Map(inbox.unread);
  return unread.delete(user) ? { ...inbox, unread } : inbox;
}
