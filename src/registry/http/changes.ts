/** Compares the users with those known before, and makes an event of each difference. */
import type { Address, Registration, UserName } from "../../core/schemas.ts";

export interface Change {
  type: "joined" | "moved" | "left";
  user: UserName;
  /** Where the user is now; of one who left, where it was. */
  address: Address;
  /** Names the state after this change. */
  state: string;
}

/** The users as they were when they were last compared. */
export interface KnownUsers {
  /**
   * A name for exactly these users at these addresses: the same on every replica and after a restart, so that whoever
   * saw it there need not begin anew.
   */
  state(): string;
  users(): Iterable<Registration>;
  /**
   * Takes over another list, and tells what leads there from the last one; nothing of the first. No two changes of one
   * call are of one user.
   */
  update(registrations: Iterable<Registration>): Change[];
}

interface Known {
  user: UserName;
  address: Address;
  /** The update in which the user was last listed. */
  listedIn: number;
}

export function createKnownUsers(): KnownUsers {
  const users = new Map<UserName, Known>();
  const digest = createSetDigest();
  let updates = 0;

  return {
    state: digest.name,
    users: () => users.values(),
    update(registrations) {
      const changes: Change[] = [];
      const isFirst = updates === 0;
      const note = (type: Change["type"], user: UserName, address: Address) => {
        if (!isFirst) changes.push({ type, user, address, state: digest.name() });
      };
      let listed = 0;
      updates++;

      for (const { user, address } of registrations) {
        listed++;
        const known = users.get(user);
        if (known) known.listedIn = updates;
        if (known && isSame(known.address, address)) continue;
        if (known) digest.remove(textOf(known));
        digest.add(textOf({ user, address }));
        if (known) known.address = address;
        else users.set(user, { user, address, listedIn: updates });
        note(known ? "moved" : "joined", user, address);
      }
      if (listed === users.size) return changes;
      for (const known of users.values()) {
        if (known.listedIn === updates) continue;
        users.delete(known.user);
        digest.remove(textOf(known));
        note("left", known.user, known.address);
      }
      return changes;
    },
  };
}

/** As they are spelled, because events lead to exactly the list. */
function isSame(a: Address, b: Address): boolean {
  return a === b || (a.protocol === b.protocol && a.host === b.host && a.port === b.port);
}

/** None of these holds a space, so no two registrations make one text. */
function textOf({ user, address: { protocol, host, port } }: Registration): string {
  return `${user} ${protocol} ${host} ${port}`;
}

/**
 * A digest of a set that is kept up to date member by member, in whatever order they come: the sum of the members'
 * SHA-256, in lanes of 32 bits (Bellare and Micciancio, "A new paradigm for collision-free hashing", 1997). Someone who
 * made two sets of users of one sum would hide changes of these users alone, and until the next poll.
 */
function createSetDigest() {
  const lanes = new Uint32Array(8);
  const member = new Uint32Array(8);
  const memberBytes = new Uint8Array(member.buffer);

  return {
    add(text: string) {
      Bun.SHA256.hash(text, memberBytes);
      for (let i = 0; i < lanes.length; i++) lanes[i] = (lanes[i] ?? 0) + (member[i] ?? 0);
    },
    remove(text: string) {
      Bun.SHA256.hash(text, memberBytes);
      for (let i = 0; i < lanes.length; i++) lanes[i] = (lanes[i] ?? 0) - (member[i] ?? 0);
    },
    /** 132 bits of the sum's own hash, fit for a line of an event stream. */
    name: () => Bun.SHA256.hash(lanes, "base64url").slice(0, 22),
  };
}
