import { DeniedAddress, errorCode } from "../core/errors.ts";
import type { Outcome } from "./transports/types.ts";

const REASONS: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host name cannot be looked up now",
  EHOSTUNREACH: "no route to its host",
  ENETUNREACH: "no route to its network",
  EADDRNOTAVAIL: "no route to its address",
  EINVAL: "no route to its address",
};

/** Why nothing can have reached the peer, for those errors that prove it; else undefined. */
export function unreachable(error: unknown): string | undefined {
  if (error instanceof DeniedAddress) return error.message;
  return REASONS[errorCode(error) ?? ""];
}

/** The outcome for those errors; the user may be there later, unless the address is one that is never contacted. */
export function notReached(error: unknown): Outcome | undefined {
  const reason = unreachable(error);
  if (reason === undefined) return undefined;
  return error instanceof DeniedAddress
    ? { type: "failed", reason }
    : { type: "failed", reason, absent: true };
}
