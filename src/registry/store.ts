import { UsageError } from "../core/errors.ts";
import type { Address, Registration, UserName } from "../core/schemas.ts";

/** What a store answers at once or later. */
export type Awaitable<T> = T | Promise<T>;

/** A user's address, and what tells this registration from the user's next one, be it at the same address. */
export interface Registered extends Registration {
  id: number;
}

/**
 * Where the users are kept. What a call has answered is true for every later call, on every registry that
 * shares the store. Each method throws StoreUnavailable when the store does not answer.
 */
export interface Store {
  /** Adds a user; false if the name is taken. Of several at once, one wins. */
  create(user: UserName, address: Address): Awaitable<boolean>;
  /** Adds a user or moves it. */
  put(user: UserName, address: Address): Awaitable<void>;
  /** Removes a user; false if there was none, or if its registration is not the given one any more. */
  remove(user: UserName, registration?: number): Awaitable<boolean>;
  get(user: UserName): Awaitable<Address | undefined>;
  registrations(): Awaitable<Iterable<Registered>>;
  /** Another value after every change of the users, whoever made it. */
  version(): Awaitable<string>;
  close(): Awaitable<void>;
}

/** The store that a URL names: `memory:` or `sqlite:<path>`. @throws UsageError, StoreUnavailable */
export async function openStore(url: string): Promise<Store> {
  const [, scheme, path] = /^([a-z]+):(.*)$/.exec(url) ?? [];
  if (scheme === "memory" && path === "") return (await import("./stores/memory.ts")).openMemory();
  if (scheme === "sqlite" && path) return (await import("./stores/sqlite.ts")).openSqlite(path);
  throw new UsageError("--store must be memory: or sqlite:<path>, such as sqlite:talk.db");
}
