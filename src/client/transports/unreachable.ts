const REASONS: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "no such host",
  "denied-address": "its address is one that is never contacted",
  EAI_AGAIN: "the host name cannot be looked up now",
  EHOSTUNREACH: "no way to its host",
  ENETUNREACH: "no way to its network",
  EADDRNOTAVAIL: "no way to its address",
  EINVAL: "no way to its address",
};

/** Why nothing can have reached the peer, for those codes, most of them the system's, that prove it; else undefined. */
export function unreachable(code: string | undefined): string | undefined {
  return code === undefined ? undefined : REASONS[code];
}
