/** The registry's interface for a client. */
import type { Address, UserName } from "../../core/schemas.ts";

/** A listed address; other implementations may use protocols we do not know. */
export interface ListedAddress {
  protocol: string;
  host: string;
  port: number;
}

/** The users by name. */
export type Users = ReadonlyMap<UserName, ListedAddress>;

/** Whether a registry could reach a user; `from` is the address it connected from. */
export interface Reach {
  reached: boolean;
  reason: string;
  from: string | undefined;
}

/** Methods throw RegistryUnreachable (no answer), NoRegistry (something else answers) or RegistryRefused. */
export interface RegistryApi {
  url: string;
  list(signal?: AbortSignal): Promise<Users>;
  /** Adds a user; `own` if the name is already registered with our key, which only some registries can tell. */
  create(user: UserName, address: Address): Promise<"created" | "taken" | "own">;
  put(user: UserName, address: Address): Promise<void>;
  remove(user: UserName, signal?: AbortSignal): Promise<void>;
  /** Whether it says that it listens on the network; only Talk's own registry does. */
  isOnNetwork(): Promise<boolean>;
  /** Whether it can reach a user now; undefined if it cannot tell, like other registries. */
  reach(user: UserName): Promise<Reach | undefined>;
}
