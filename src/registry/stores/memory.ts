import type { Address, UserName } from "../../core/schemas.ts";
import type { Store } from "../store.ts";

/** Users for as long as the registry runs. */
export function openMemory(): Store {
  const users = new Map<UserName, Address>();
  let changes = 0;

  return {
    create(user, address) {
      if (users.has(user)) return false;
      users.set(user, address);
      changes++;
      return true;
    },
    put(user, address) {
      users.set(user, address);
      changes++;
    },
    remove(user) {
      if (users.delete(user)) changes++;
    },
    get: (user) => users.get(user),
    users: () => users,
    version: () => String(changes),
    close() {},
  };
}
