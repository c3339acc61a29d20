import type { Address, UserName } from "../../core/schemas.ts";
import { MAX_RESERVED, ownerBy, RESERVED_MS, refusal } from "./ownership.ts";
import { type Claim, MAX_USERS, type Store, type StoredUser, type StoreOptions } from "./types.ts";

interface OwnedUser extends StoredUser {
  owner: string | undefined;
}

/** A store that lasts as long as the process. */
export function openMemory({ maxUsers = MAX_USERS, now = Date.now }: StoreOptions = {}): Store {
  const users = new Map<UserName, OwnedUser>();
  /** In order of reservation. */
  const reserved = new Map<UserName, { owner: string; until: number }>();
  /** The number of changes so far; a registration's id is the number it made. */
  let changes = 0;

  function keep(user: UserName, address: Address, owner: string | undefined) {
    reserved.delete(user);
    users.set(user, { user, address, owner, id: ++changes });
  }

  /** Why a new user with that name is refused, if it is. */
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
    // No other registry can share this store.
    lease: () => true,
    close() {},
  };
}
