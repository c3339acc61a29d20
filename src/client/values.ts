/** Values of flags that several commands take. */
import { UsageError } from "../core/errors.ts";
import { isUserName, USER_NAME } from "../core/names.ts";
import { REGISTRY_URL } from "../core/protocol.ts";
import type { UserName } from "../core/schemas.ts";

/** The name that a flag gives. @throws UsageError */
export function nameOf(flag: string, text: string): UserName {
  if (!isUserName(text)) throw new UsageError(`--${flag} must be ${USER_NAME.rule}`);
  return text;
}

/** The registry's base URL that a flag gives. @throws UsageError */
export function registryOf(text: string): string {
  const url = URL.parse(text);
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search || url.hash) {
    throw new UsageError(`--registry must be a URL such as ${REGISTRY_URL}`);
  }
  return text;
}
