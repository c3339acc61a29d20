import type { Registered, Store } from "./store.ts";

/** The list of users as text, with the entity tag (RFC 9110 §8.8.3) of exactly that text. */
export interface UserList {
  text: string;
  etag: string;
}

/** Hands out the list, and serializes it only after a change. */
export function cachedList(store: Store): () => Promise<UserList> {
  let cached: (UserList & { version: string }) | undefined;

  return async () => {
    // Asked before the users are, so that a change in between makes the next call look again.
    const version = await store.version();
    if (cached?.version !== version) {
      const text = serialize(await store.registrations());
      // The tag is of the content, so that it holds on every replica and after a restart.
      const etag = `"${new Bun.CryptoHasher("sha256").update(text).digest("base64url").slice(0, 22)}"`;
      cached = { version, text, etag };
    }
    return cached;
  };
}

/** Text, because an object would lose a user named `__proto__`. */
function serialize(registrations: Iterable<Registered>): string {
  const entries: string[] = [];
  for (const { user, address } of registrations) {
    entries.push(`${JSON.stringify(user)}:${JSON.stringify(address)}`);
  }
  return `{${entries.join(",")}}`;
}
