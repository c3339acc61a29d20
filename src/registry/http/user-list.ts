import type { Registration } from "../../core/schemas.ts";
import { andThen, type MaybePromise } from "../maybe-promise.ts";
import type { Store } from "../stores/types.ts";

/** Answers GET of the list, with 304 if the client already has it. */
export function createListAnswer(store: Store): (request: Request) => MaybePromise<Response> {
  const list = cachedList(store);
  return ({ headers }) => andThen(list(), (current) => answerWith(current, headers));
}

function answerWith({ text, etag, whole, unchanged }: UserList, headers: Headers): Response {
  const known = headers.get("if-none-match");
  if (known !== null && matches(known, etag)) return new Response(null, unchanged);
  return new Response(text, whole);
}

/** The list as JSON, with the entity tag (RFC 9110 §8.8.3) of exactly that text. */
interface UserList {
  text: string;
  etag: string;
  /** Options of the 200 and the 304 response, made once for all requests. */
  whole: { headers: Headers };
  unchanged: { status: 304; headers: Headers };
}

/** Serializes the list only after a change. */
function cachedList(store: Store): () => MaybePromise<UserList> {
  let cached: (UserList & { version: string }) | undefined;

  function refresh(version: string): MaybePromise<UserList> {
    return andThen(store.registrations(), (registrations) => {
      const text = serialize(registrations);
      // The tag is a hash of the content, so it is the same on every replica and after a restart.
      const etag = `"${new Bun.CryptoHasher("sha256").update(text).digest("base64url").slice(0, 22)}"`;
      const caching = { etag, "cache-control": "no-cache" };
      const whole = { headers: new Headers({ ...caching, "content-type": "application/json" }) };
      cached = { version, text, etag, whole, unchanged: { status: 304, headers: new Headers(caching) } };
      return cached;
    });
  }

  return () =>
    // Read the version before the users, so that the next call catches a change in between.
    andThen(store.version(), (version) => (cached?.version === version ? cached : refresh(version)));
}

/** The list as JSON, built by hand because an object would lose a user named `__proto__`. */
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
