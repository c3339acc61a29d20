/** The registry as a client sees it, and what it tells. */
import type { Address, UserName } from "../../core/schemas.ts";

/** An address in the list; peers of another make may listen on protocols that we do not know. */
export interface ListedAddress {
  protocol: string;
  host: string;
  port: number;
}

/** The users by name. */
export type Users = ReadonlyMap<UserName, ListedAddress>;

/** What a registry found when it tried to reach a user; `from` is the address from which it tried. */
export interface Reach {
  reached: boolean;
  reason: string;
  from: string | undefined;
}

/** Each method throws RegistryUnreachable without an answer, NoRegistry if something else answers, RegistryRefused if it says no. */
export interface RegistryApi {
  url: string;
  list(signal?: AbortSignal): Promise<Users>;
  /** Adds a user; `own` if the name is taken by whoever has our key, which only some registries can tell. */
  create(user: UserName, address: Address): Promise<"created" | "taken" | "own">;
  put(user: UserName, address: Address): Promise<void>;
  remove(user: UserName, signal?: AbortSignal): Promise<void>;
  /** Whether it says that other machines can ask it; only Talk's own does. */
  isOnNetwork(): Promise<boolean>;
  /** Whether it reaches a user now; undefined if it cannot tell, as those of other makes. */
  reach(user: UserName): Promise<Reach | undefined>;
}
