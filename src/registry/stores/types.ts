import type { Address, Registration, UserName } from "../../core/schemas.ts";
import type { MaybePromise } from "../maybe-promise.ts";

/** A user's address, and what tells this registration from the user's next one, be it at the same address. */
export interface StoredUser extends Registration {
  id: number;
}

/** The hash of the secret that somebody shows for a name; undefined if none is shown. Stores see no secret itself. */
export type Claim = string | undefined;

/** Refused, because the name has an owner, and no secret was shown (`unauthorized`) or another (`forbidden`). */
export type OwnerRefusal = "unauthorized" | "forbidden";

/** Whatever a store refuses; the words are those of `REFUSALS`. */
export type StoreRefusal = "taken" | "own" | "reserved" | "full" | OwnerRefusal;

/** Most users at once, unless told otherwise. */
export const MAX_USERS = 100_000;

export interface StoreOptions {
  /** Most users at once. @default MAX_USERS */
  maxUsers?: number;
  /** What an acknowledged write survives on SQLite: the end of the process, or of the power. @default process */
  durability?: "process" | "power";
  /** Refuses an SQLite file that is not there, and makes none. @default false */
  mustExist?: boolean;
  /** The time of day in milliseconds since 1970. @default the system's */
  now?: () => number;
}

/**
 * Where the users are kept. What a call has answered is true for every later call, on every registry that
 * shares the store. Each method throws StoreUnavailable when the store does not answer.
 *
 * A user created with a claim is owned by it: only that claim, or OPERATOR, changes or removes the user. One
 * created without is open to all, and stays so.
 */
export interface Store {
  /** Adds a user. Of several at once, one wins: to the others the name is `taken`, or their `own`. */
  create(
    user: UserName,
    address: Address,
    claim?: Claim,
  ): MaybePromise<"done" | "taken" | "own" | "reserved" | "full">;
  /** Adds a user or moves it. */
  put(user: UserName, address: Address, claim?: Claim): MaybePromise<"done" | "full" | OwnerRefusal>;
  /** Whether a claim may change a user, as `put` and `remove` would find; nothing is changed. */
  mayChange(user: UserName, claim?: Claim): MaybePromise<"done" | "absent" | OwnerRefusal>;
  /** Removes a user, and with it the owner. */
  remove(user: UserName, claim?: Claim): MaybePromise<"done" | "absent" | OwnerRefusal>;
  /**
   * Removes a user who is not there any more; false if its registration is not the given one. The name of an
   * owner stays reserved for it for 24 h, or until 10,000 later ones are.
   */
  expire(user: UserName, registration: number): MaybePromise<boolean>;
  /** Takes the owner, or the reservation, from a name; false if it had none. */
  release(user: UserName): MaybePromise<boolean>;
  get(user: UserName): MaybePromise<Address | undefined>;
  registrations(): MaybePromise<Iterable<StoredUser>>;
  /** Another value after every change of the users, whoever made it. */
  version(): MaybePromise<string>;
  /**
   * Takes or renews the lease to check the users, for so many milliseconds, 0 to give it back; false if another registry
   * holds it.
   */
  lease(registry: string, ms: number): MaybePromise<boolean>;
  close(): MaybePromise<void>;
}
