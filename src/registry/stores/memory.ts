import type { UserName } from "../../core/schemas.ts";
import type { Registered, Store } from "../store.ts";

/** Users for as long as the registry runs. */
export function openMemory(): Store {
  const registrations = new Map<UserName, Registered>();
  /** Counts the changes; the count at a registration is its id. */
  let changes = 0;

  return {
    create(user, address) {
      if (registrations.has(user)) return false;
      registrations.set(user, { user, address, id: ++changes });
      return true;
    },
    put(user, address) {
      registrations.set(user, { user, address, id: ++changes });
    },
    remove(user, registration) {
      if (registration !== undefined && registrations.get(user)?.id !== registration) return false;
      const removed = registrations.delete(user);
      if (removed) changes++;
      return removed;
    },
    get: (user) => registrations.get(user)?.address,
    registrations: () => registrations.values(),
    version: () => String(changes),
    close() {},
  };
}
