/** Compares the users with the previous list, and makes a change of each difference. */
import type { Address, Registration, UserName } from "../../core/schemas.ts";

export interface Change {
  type: "joined" | "moved" | "left";
  user: UserName;
  /** The user's address now, or its last one if it left. */
  address: Address;
  /** Identifies the state after this change. */
  state: string;
}

/** The users as of the last comparison. */
export interface KnownUsers {
  /**
   * Identifies exactly these users at these addresses, the same on every replica and after a restart, so that a client
   * can resume there without a new list.
   */
  state(): string;
  users(): Iterable<Registration>;
  /**
   * Replaces the list and returns the changes that lead to it; none for the first list. Each user appears in at most one
   * change.
   */
  update(registrations: Iterable<Registration>): Change[];
}

interface Known {
  user: UserName;
  address: Address;
  /** The last update that listed the user. */
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

/** Compares the spelling, because applying the events must yield exactly the list. */
function isSame(a: Address, b: Address): boolean {
  return a === b || (a.protocol === b.protocol && a.host === b.host && a.port === b.port);
}

/** None of these can contain a space, so the text is unambiguous. */
function textOf({ user, address: { protocol, host, port } }: Registration): string {
  return `${user} ${protocol} ${host} ${port}`;
}

/**
 * An incremental digest of a set, independent of order: the sum of its members' SHA-256, in 32-bit lanes (Bellare and
 * Micciancio, "A new paradigm for collision-free hashing", 1997). A collision could only hide
 * changes to the users in it, and only until the next poll.
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
    /** 132 bits of the sum's hash, safe in a line of an event stream. */
    name: () => Bun.SHA256.hash(lanes, "base64url").slice(0, 22),
  };
}
