/** Parses flags that several commands share. */
import { UsageError } from "../core/errors.ts";
import { isIPv6, isUserName, USER_NAME } from "../core/names.ts";
import { PROBE_USER, REGISTRY_PORT, REGISTRY_URL } from "../core/protocol.ts";
import type { UserName } from "../core/schemas.ts";

/** A user name from a flag. @throws UsageError */
export function nameOf(flag: string, text: string): UserName {
  if (!isUserName(text)) throw new UsageError(`--${flag} must be ${USER_NAME.rule}`);
  return text;
}

/**
 * The user's own name, from `--name` or the environment; undefined if neither is set. Rejects the name that registries
 * probe under, because a message from it could be taken for a probe.
 * @throws UsageError
 */
export function ownNameOf(flag: string | undefined): UserName | undefined {
  const text = flag ?? (process.env.TALK_NAME || undefined);
  if (text === undefined) return undefined;
  const source = flag === undefined ? "TALK_NAME" : "--name";
  if (text === PROBE_USER) {
    throw new UsageError(`${source} must not be ${PROBE_USER}, under which registries probe; choose another`);
  }
  if (!isUserName(text)) throw new UsageError(`${source} must be ${USER_NAME.rule}`);
  return text;
}

/** The registry's base URL, from `--registry` or the environment, else on this machine. @throws UsageError */
export function registryOf(flag: string | undefined): string {
  const text = flag ?? (process.env.TALK_REGISTRY || REGISTRY_URL);
  const whole = withScheme(text);
  const url = URL.parse(whole);
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search || url.hash) {
    const source = flag === undefined ? "TALK_REGISTRY" : "--registry";
    throw new UsageError(`${source} must be a URL such as ${REGISTRY_URL}, or a host as in db or db:9000`);
  }
  return whole;
}

/** `db` and `db:9000` as `http://db:8088` and `http://db:9000`. */
function withScheme(text: string): string {
  if (text.includes("://")) return text;
  if (isIPv6(text)) return `http://[${text}]:${REGISTRY_PORT}`;
  const [, host, port = REGISTRY_PORT, path = ""] =
    /^(\[[^\]]*\]|[\w.-]+)(?::(\d{1,5}))?(\/.*)?$/.exec(text) ?? [];
  return host === undefined ? text : `http://${host}:${port}${path}`;
}
