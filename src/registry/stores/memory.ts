import type { Address, UserName } from "../../core/schemas.ts";
import { MAX_RESERVED, ownerBy, RESERVED_MS, refusal } from "./ownership.ts";
import { type Claim, MAX_USERS, type Store, type StoredUser, type StoreOptions } from "./types.ts";

interface OwnedUser extends StoredUser {
  owner: string | undefined;
}

/** Users for as long as the registry runs. */
export function openMemory({ maxUsers = MAX_USERS, now = Date.now }: StoreOptions = {}): Store {
  const users = new Map<UserName, OwnedUser>();
  /** In the order in which they were reserved. */
  const reserved = new Map<UserName, { owner: string; until: number }>();
  /** Counts the changes; the count at a registration is its id. */
  let changes = 0;

  function keep(user: UserName, address: Address, owner: string | undefined) {
    reserved.delete(user);
    users.set(user, { user, address, owner, id: ++changes });
  }

  /** Why a new user of that name is refused. */
  function refusalOfNew(user: UserName, claim: Claim) {
    const reservation = reserved.get(user);
    if (reservation && reservation.until > now()) return refusal(reservation.owner, claim);
    return undefined;
  }

  function drop(user: UserName) {
    users.delete(user);
    changes++;
  }

  return {
    create(user, address, claim) {
      const known = users.get(user);
      if (known) return known.owner !== undefined && known.owner === claim ? "own" : "taken";
      if (refusalOfNew(user, claim)) return "reserved";
      if (users.size >= maxUsers) return "full";
      keep(user, address, ownerBy(claim));
      return "done";
    },
    put(user, address, claim) {
      const known = users.get(user);
      const refused = known ? refusal(known.owner, claim) : refusalOfNew(user, claim);
      if (refused) return refused;
      if (!known && users.size >= maxUsers) return "full";
      keep(user, address, known ? known.owner : ownerBy(claim));
      return "done";
    },
    mayChange(user, claim) {
      const known = users.get(user);
      return known ? (refusal(known.owner, claim) ?? "done") : "absent";
    },
    remove(user, claim) {
      const known = users.get(user);
      if (!known) return "absent";
      const refused = refusal(known.owner, claim);
      if (refused) return refused;
      drop(user);
      return "done";
    },
    expire(user, registration) {
      const known = users.get(user);
      if (known?.id !== registration) return false;
      drop(user);
      if (known.owner !== undefined) {
        reserved.set(user, { owner: known.owner, until: now() + RESERVED_MS });
        const [oldest] = reserved.keys();
        if (reserved.size > MAX_RESERVED && oldest !== undefined) reserved.delete(oldest);
      }
      return true;
    },
    release(user) {
      const known = users.get(user);
      if (known?.owner === undefined) return reserved.delete(user);
      known.owner = undefined;
      return true;
    },
    get: (user) => users.get(user)?.address,
    registrations: () => users.values(),
    version: () => String(changes),
    // Nobody else has this store.
    lease: () => true,
    close() {},
  };
}
