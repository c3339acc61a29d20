/** Who may change a name, the same in every store. */
import type { Claim, OwnerRefusal } from "./types.ts";

/** A claim that may do everything: the operator's, and everybody's where names have no owners. */
export const OPERATOR = "*";

/** How long a name is kept for an owner who is not there any more, in milliseconds. */
export const RESERVED_MS = 24 * 60 * 60 * 1000;

/** Most names that are kept so; then the oldest are dropped. */
export const MAX_RESERVED = 10_000;

/** Why a claim may not change a name with that owner; undefined if it may. */
export function refusal(owner: string | undefined, claim: Claim): OwnerRefusal | undefined {
  if (owner === undefined || claim === OPERATOR || claim === owner) return undefined;
  // Both are hashes of 256 random bits, so the time that comparing takes tells nothing of use.
  return claim === undefined ? "unauthorized" : "forbidden";
}

/** The owner of what is created with a claim. */
export function ownerBy(claim: Claim): string | undefined {
  return claim === OPERATOR ? undefined : claim;
}
