import { InvalidInput } from "../../core/errors.ts";
import type { Claim } from "../stores/types.ts";

/** Most characters of a secret; Talk's own have 43. */
const MAX_SECRET = 1024;

/** RFC 6750 §2.1; the scheme's name in any case (RFC 9110 §11.1). */
const BEARER = /^bearer(?: +(.*))?$/i;
const TOKEN = /^[a-zA-Z0-9._~+/-]+=*$/;

/**
 * The claim that a request makes by `Authorization: Bearer <secret>`: the SHA-256 of the secret, in hex. Nothing
 * slower is needed, nor a comparison in constant time: a secret of 256 random bits cannot be found from its hash,
 * and how far a guess's hash agrees with another tells nothing of the secret. Other schemes are not ours and make
 * no claim: who logs in at a proxy in front passes as before.
 * @throws InvalidInput if it is no secret that can have been meant
 */
export function claimOf(request: Request): Claim {
  const header = request.headers.get("authorization");
  const match = header === null ? null : BEARER.exec(header);
  if (!match) return undefined;
  const secret = match[1] ?? "";
  if (secret.length > MAX_SECRET || !TOKEN.test(secret)) {
    throw new InvalidInput(
      `A secret must be 1 to ${MAX_SECRET} of a-z, A-Z, 0-9 and "-._~+/", then perhaps "=".`,
    );
  }
  return new Bun.CryptoHasher("sha256").update(secret).digest("hex");
}
