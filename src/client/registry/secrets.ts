/** What shows a registry that a name is ours: a secret for each registry and name, made from one key of the user. */
import { chmodSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostOf, isLoopback } from "../../core/address.ts";
import { errorCode, TalkError } from "../../core/errors.ts";
import type { UserName } from "../../core/schemas.ts";
import { followLinks } from "../state-directory.ts";

/** Bytes of the key: nobody guesses 256 bits. */
const KEY_BYTES = 32;

/** What a key file holds: these bytes in base64url (RFC 4648 §5), and a line's end. */
const KEY_FILE = /^[\w-]{43}\n?$/;

/** The secret of a name at a registry, fit for `Authorization: Bearer`. */
export type SecretOf = (user: UserName) => string;

/**
 * The secrets for a registry, from the key at a path, which is made if there is none. The secret is bound to the
 * registry's URL, so that none can use at another what it was shown.
 * @throws TalkError if there can be no key, or one that others may know; the sentence says what to do
 */
export function openSecrets(registry: string, path: string): SecretOf {
  const base = registryId(registry);
  const key = readOrMake(path);
  // No URL holds a line break, so no two pairs make one text.
  return (user) => new Bun.CryptoHasher("sha256", key).update(`${base}\n${user}`).digest("base64url");
}

/** One spelling per registry, of all the URLs that lead to it. */
export function registryId(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  // This machine itself is one registry, whichever of its names for itself one types.
  const host = isLoopback(hostOf(url)) ? "localhost" : hostname;
  return `${protocol}//${host}:${port}${pathname.replace(/\/+$/, "")}`;
}

function readOrMake(path: string): Buffer {
  try {
    return read(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw unusable(error, path);
  }
  try {
    make(followLinks(path));
    return read(path);
  } catch (error) {
    throw unusable(error, path);
  }
}

/** Others on this machine may know a key that they could read, so it proves nothing any more. */
function read(path: string): Buffer {
  // Windows has no such modes.
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new TalkError("key", `others can read your key; if none has, run: chmod 600 ${path}`);
  }
  const text = readFileSync(path, "latin1");
  if (!KEY_FILE.test(text)) {
    throw new TalkError("key", `there is no key in ${path}; restore it, or remove it to get a new one`);
  }
  return Buffer.from(text, "base64url");
}

/** Of several clients that start at once one makes the key: a link is made whole, or fails because there is one. */
function make(path: string): void {
  const draft = `${path}.${process.pid}.${crypto.randomUUID()}`;
  try {
    writeFileSync(
      draft,
      `${Buffer.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES))).toString("base64url")}\n`,
      { mode: 0o600, flag: "wx" },
    );
    // An odd umask cannot make it too narrow to be read again.
    chmodSync(draft, 0o600);
    linkSync(draft, path);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function unusable(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (error instanceof TalkError && error.code === "key") return error;
  return code === undefined ? error : new TalkError("key", `no key can be kept in ${path} (${code})`);
}
