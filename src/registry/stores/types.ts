import type { Address, Registration, UserName } from "../../core/schemas.ts";
import type { MaybePromise } from "../maybe-promise.ts";

/** A registration with its id, which changes whenever the user registers again, even at the same address. */
export interface StoredUser extends Registration {
  id: number;
}

/** The hash of the secret sent with a request; undefined without one. Stores never see the secret itself. */
export type Claim = string | undefined;

/** The name has an owner, and the request had no secret (`unauthorized`) or another one (`forbidden`). */
export type OwnerRefusal = "unauthorized" | "forbidden";

/** Every refusal of a store; a subset of the codes of `REFUSALS`. */
export type StoreRefusal = "taken" | "own" | "reserved" | "full" | OwnerRefusal;

/** Most registered users, by default. */
export const MAX_USERS = 100_000;

export interface StoreOptions {
  /** Most registered users. @default MAX_USERS */
  maxUsers?: number;
  /** What acknowledged SQLite writes survive: a process crash, or a power failure. @default process */
  durability?: "process" | "power";
  /** Refuses to create a missing SQLite file. @default false */
  mustExist?: boolean;
  /** Milliseconds since the Unix epoch. @default Date.now */
  now?: () => number;
  /** Called once for each entry that no registry has written, and which is ignored. @default nobody is told */
  onUnreadable?: (user: string) => void;
}

/**
 * Where the users are kept. Linearizable: every call sees all writes acknowledged before it, by any registry that shares
 * the store. Each method throws StoreUnavailable if the store does not respond.
 *
 * A user created with a claim is owned by it: only that claim, or OPERATOR, may change or remove the user. Anybody may
 * change a user created without one, which never gets an owner later.
 */
export interface Store {
  /** Adds a user. Of concurrent calls one wins; the others get `taken`, or `own` with the same claim. */
  create(
    user: UserName,
    address: Address,
    claim?: Claim,
  ): MaybePromise<"done" | "taken" | "own" | "reserved" | "full">;
  /** Adds a user, or replaces its address. */
  put(user: UserName, address: Address, claim?: Claim): MaybePromise<"done" | "full" | OwnerRefusal>;
  /** Whether `put` and `remove` would accept a claim; changes nothing. */
  mayChange(user: UserName, claim?: Claim): MaybePromise<"done" | "absent" | OwnerRefusal>;
  /** Removes a user and its owner. */
  remove(user: UserName, claim?: Claim): MaybePromise<"done" | "absent" | OwnerRefusal>;
  /**
   * Removes a user who is gone; false if it has registered again since. An owned name stays reserved for its owner for
   * 24 h, or until 10,000 later names are reserved.
   */
  expire(user: UserName, registration: number): MaybePromise<boolean>;
  /** Removes a name's owner or reservation; false if it had neither. */
  release(user: UserName): MaybePromise<boolean>;
  get(user: UserName): MaybePromise<Address | undefined>;
  registrations(): MaybePromise<Iterable<StoredUser>>;
  /** A value that differs after every change to the users, by any registry. */
  version(): MaybePromise<string>;
  /**
   * Takes or renews the checker's lease for `ms` milliseconds, or releases it with 0; false if another registry holds it.
   */
  lease(registry: string, ms: number): MaybePromise<boolean>;
  close(): MaybePromise<void>;
}
