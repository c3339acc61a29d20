import { DeniedAddress, errorCode } from "../core/errors.ts";
import type { Outcome } from "./transports/types.ts";

const NO_SUCH_HOST = "no such host";
const NO_LOOKUP = "the host name cannot be looked up now";

/** Whether a reason is about a failed name lookup. */
export function isNameTrouble(reason: string): boolean {
  return reason === NO_SUCH_HOST || reason === NO_LOOKUP;
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: NO_SUCH_HOST,
  EAI_AGAIN: NO_LOOKUP,
  EHOSTUNREACH: "no route to its host",
  ENETUNREACH: "no route to its network",
  EADDRNOTAVAIL: "no route to its address",
  EINVAL: "no route to its address",
};

/** Why nothing can have reached the peer, for errors that prove it; else undefined. */
export function unreachable(error: unknown): string | undefined {
  if (error instanceof DeniedAddress) return error.message;
  return REASONS[errorCode(error) ?? ""];
}

/** The outcome for such errors; a later attempt may succeed, unless the address is forbidden. */
export function notReached(error: unknown): Outcome | undefined {
  const reason = unreachable(error);
  if (reason === undefined) return undefined;
  return error instanceof DeniedAddress
    ? { type: "failed", reason }
    : { type: "failed", reason, absent: true };
}
