import { InvalidInput } from "../../core/errors.ts";
import type { Claim } from "../stores/types.ts";

/** Most characters in a secret; Talk's own have 43. */
const MAX_SECRET = 1024;

/** RFC 6750 §2.1; scheme names are case-insensitive (RFC 9110 §11.1). */
const BEARER = /^bearer(?: +(.*))?$/i;
const TOKEN = /^[a-zA-Z0-9._~+/-]+=*$/;

/**
 * The claim of a request with `Authorization: Bearer <secret>`: the SHA-256 of the secret, in hex. A slow hash and a
 * constant-time comparison are not needed: 256 random bits cannot be recovered from their hash, and how much of a
 * guess's hash matches reveals nothing about the secret. Other schemes make no claim, so a login at a proxy in front
 * does not interfere.
 * @throws InvalidInput if the secret is malformed
 */
export function claimOf(request: Request): Claim {
  const header = request.headers.get("authorization");
  const match = header === null ? null : BEARER.exec(header);
  if (!match) return undefined;
  const secret = match[1] ?? "";
  if (secret.length > MAX_SECRET || !TOKEN.test(secret)) {
    throw new InvalidInput(
      `A secret must be 1 to ${MAX_SECRET} of a-z, A-Z, 0-9 and "-._~+/", then optional "=".`,
    );
  }
  return new Bun.CryptoHasher("sha256").update(secret).digest("hex");
}
