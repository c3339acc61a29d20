/** Values of flags that several commands take. */
import { UsageError } from "../core/errors.ts";
import { isUserName, USER_NAME } from "../core/names.ts";
import { MAX_NAME_LENGTH, REGISTRY_URL } from "../core/protocol.ts";
import type { UserName } from "../core/schemas.ts";

/** The name that a flag gives, or the login name: the system's if there is no $USER (Bun's userInfo() says "unknown"). @throws UsageError */
export function nameOf(flag: string, text: string | undefined): UserName {
  if (text === undefined) return loginName();
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

function loginName(): UserName {
  const { USER, LOGNAME, USERNAME } = process.env;
  const login =
    USER ||
    LOGNAME ||
    USERNAME ||
    (Bun.which("id") ? Bun.spawnSync(["id", "-un"]).stdout.toString().trim() : "");
  const legal = login.replace(/[^a-zA-Z0-9_.-]/g, "-").slice(0, MAX_NAME_LENGTH);
  return /^\.{0,2}$/.test(legal) ? "user" : legal;
}
