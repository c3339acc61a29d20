/** Proof to a registry that a name is ours: a secret per registry and name, derived from the user's key. */
import { chmodSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostOf, isLoopback } from "../../core/address.ts";
import { errorCode, TalkError } from "../../core/errors.ts";
import type { UserName } from "../../core/schemas.ts";
import { followLinks } from "../state-directory.ts";

/** Bytes of the key: 256 bits cannot be guessed. */
const KEY_BYTES = 32;

/** Contents of a key file: the key in base64url (RFC 4648 §5), and a line break. */
const KEY_FILE = /^[\w-]{43}\n?$/;

/** The secret for a name at a registry, fit for `Authorization: Bearer`. */
export type SecretOf = (user: UserName) => string;

/**
 * The secrets for a registry, derived from the key at a path, which is created if missing. A secret is bound to the
 * registry's URL, so that no registry can replay it at another.
 * @throws TalkError if the key cannot be read or created, or others may know it; the message says what to do
 */
export function openSecrets(registry: string, path: string): SecretOf {
  const base = registryId(registry);
  const key = readOrMake(path);
  // No URL contains a line break, so distinct pairs stay distinct.
  return (user) => new Bun.CryptoHasher("sha256", key).update(`${base}\n${user}`).digest("base64url");
}

/** Normalizes a registry's URL. */
export function registryId(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  // All loopback names mean the same registry.
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

/** Reads the key; rejects one that others could read, because it proves nothing any more. */
function read(path: string): Buffer {
  // Windows has no file modes.
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new TalkError("key", `others can read your key; if none has, run: chmod 600 ${path}`);
  }
  const text = readFileSync(path, "latin1");
  if (!KEY_FILE.test(text)) {
    throw new TalkError("key", `there is no key in ${path}; restore it, or remove it to get a new one`);
  }
  return Buffer.from(text, "base64url");
}

/** Creates the key atomically: if several clients start at once, only one link succeeds, and it is complete. */
function make(path: string): void {
  const draft = `${path}.${process.pid}.${crypto.randomUUID()}`;
  try {
    writeFileSync(
      draft,
      `${Buffer.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES))).toString("base64url")}\n`,
      { mode: 0o600, flag: "wx" },
    );
    // Override the umask, which may have removed our own access.
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
  return code === undefined ? error : new TalkError("key", `the key cannot be kept in ${path} (${code})`);
}
