/** Who may change a name; the same for every store. */
import type { Claim, OwnerRefusal } from "./types.ts";

/** A claim that may change any name: the operator's, and everybody's with --open. */
export const OPERATOR = "*";

/** How long a name stays reserved for an owner who is gone, in milliseconds. */
export const RESERVED_MS = 24 * 60 * 60 * 1000;

/** Most reserved names; beyond that, the oldest are released. */
export const MAX_RESERVED = 10_000;

/** Why a claim may not change a name with this owner; undefined if it may. */
export function refusal(owner: string | undefined, claim: Claim): OwnerRefusal | undefined {
  if (owner === undefined || claim === OPERATOR || claim === owner) return undefined;
  // Both are hashes of 256 random bits, so the time a comparison takes reveals nothing useful.
  return claim === undefined ? "unauthorized" : "forbidden";
}

/** The owner of a user created with a claim. */
export function ownerBy(claim: Claim): string | undefined {
  return claim === OPERATOR ? undefined : claim;
}
