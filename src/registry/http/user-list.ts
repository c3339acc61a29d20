import type { Registration } from "../../core/schemas.ts";
import { andThen, type MaybePromise } from "../maybe-promise.ts";
import type { Store } from "../stores/types.ts";

/** Answers GET of the list, perhaps with that the asker has it already. */
export function createListAnswer(store: Store): (request: Request) => MaybePromise<Response> {
  const list = cachedList(store);
  return ({ headers }) => andThen(list(), (current) => answerWith(current, headers));
}

function answerWith({ text, etag, whole, unchanged }: UserList, headers: Headers): Response {
  const known = headers.get("if-none-match");
  if (known !== null && matches(known, etag)) return new Response(null, unchanged);
  return new Response(text, whole);
}

/** The list of users as text, with the entity tag (RFC 9110 §8.8.3) of exactly that text. */
interface UserList {
  text: string;
  etag: string;
  /** What goes with the list, and with the answer that it is known: made once, as many ask. */
  whole: { headers: Headers };
  unchanged: { status: 304; headers: Headers };
}

/** Hands out the list, and serializes it only after a change. */
function cachedList(store: Store): () => MaybePromise<UserList> {
  let cached: (UserList & { version: string }) | undefined;

  function refresh(version: string): MaybePromise<UserList> {
    return andThen(store.registrations(), (registrations) => {
      const text = serialize(registrations);
      // The tag is of the content, so that it holds on every replica and after a restart.
      const etag = `"${new Bun.CryptoHasher("sha256").update(text).digest("base64url").slice(0, 22)}"`;
      const caching = { etag, "cache-control": "no-cache" };
      const whole = { headers: new Headers({ ...caching, "content-type": "application/json" }) };
      cached = { version, text, etag, whole, unchanged: { status: 304, headers: new Headers(caching) } };
      return cached;
    });
  }

  return () =>
    // Asked before the users are, so that a change in between makes the next call look again.
    andThen(store.version(), (version) => (cached?.version === version ? cached : refresh(version)));
}

/** The list as text, because an object would lose a user named `__proto__`. */
export function serialize(registrations: Iterable<Registration>): string {
  const entries: string[] = [];
  for (const { user, address } of registrations) {
    entries.push(`${JSON.stringify(user)}:${JSON.stringify(address)}`);
  }
  return `{${entries.join(",")}}`;
}

/** `If-None-Match` by the weak comparison (RFC 9110 §13.1.2). */
function matches(header: string, etag: string): boolean {
  if (header === etag) return true;
  return header.split(",").some((tag) => ["*", etag].includes(tag.trim().replace(/^W\//, "")));
}
