/** What each operation of the API says of itself. */
import { refused, StoreUnavailable } from "../../core/errors.ts";
import { OK } from "../../core/http.ts";
import { MAX_BODY_BYTES } from "../../core/protocol.ts";
import { type Address, UserName } from "../../core/schemas.ts";

const BOB: Address = { protocol: "UDP", host: "10.0.0.5", port: 3000 };

const ok = answer("Done.", "Ok", OK);

const refusals = {
  400: refusal("A rule for names or addresses is broken; the message says which.", {
    message: '"address.port" must be a whole number from 1 to 65535.',
  }),
  413: refusal("The body is over 64 KiB.", refused("too-large", { what: "The body", limit: MAX_BODY_BYTES })),
  415: refusal("The body is not `application/json`, or is compressed.", refused("not-json")),
};

/** What is answered to web pages of elsewhere, whatever they ask for. */
const foreign = { 403: refusal("A web page of another origin asks.", refused("foreign-origin")) };

/** What only those meet who touch a name with an owner. */
const ownership = {
  401: {
    ...refusal("The name has an owner, and no secret was shown.", refused("unauthorized")),
    headers: { "WWW-Authenticate": header("How to show it.", "Bearer") },
  },
  403: refusal("The name has another owner, or a web page of another origin asks.", refused("forbidden")),
};

const taken = answer("The name is taken; `owner` is `you` if its secret was shown.", "Taken", {
  status: "error",
  message: refused("own").message,
  owner: "you",
});

/** A secret may be shown. */
const security: Record<string, string[]>[] = [{}, { owner: [] }];

/** What only a request for a new user meets. */
const limits = {
  429: refusal(
    "Too many users were registered from this address; this machine itself has no limit.",
    refused("too-many-users", { retryAfter: 1 }),
  ),
};

const noUser = { 404: refusal("There is no such user.", refused("unknown-user")) };

const down = {
  503: refusal(
    "The store does not answer now, or the registry is full.",
    new StoreUnavailable("The store cannot be written now."),
  ),
};

const userParameter = {
  name: "user",
  in: "path" as const,
  required: true,
  description: "The user's name.",
  schema: UserName,
  example: "bob",
};

/** The documentation of each route, as Elysia takes it in `detail`. */
export const operations = {
  health: {
    operationId: "health",
    tags: ["registry"],
    summary: "Whether the registry is up",
    description:
      "Answers as long as the registry runs; also what other registries and load balancers may ask.",
    responses: { 200: answer("It is up.", "Ok", OK), ...foreign },
  },
  list: {
    operationId: "listUsers",
    tags: ["users"],
    summary: "All users and where they listen",
    description:
      "An object with a key per user. `/v1/users/` is the same. With `If-None-Match`, an unchanged list costs a 304.",
    parameters: [
      {
        name: "If-None-Match",
        in: "header" as const,
        required: false,
        ...header("The `ETag` of the list that is already known.", '"2jmj7l5rSw0yVb_vlWAYkK"'),
      },
    ],
    responses: {
      200: {
        ...answer("The users.", "Users", { bob: BOB }),
        headers: {
          ETag: header("Stands for exactly this list.", '"2jmj7l5rSw0yVb_vlWAYkK"'),
        },
      },
      304: { description: "The list is the one named in `If-None-Match`." },
      ...foreign,
      ...down,
    },
  },
  about: {
    operationId: "about",
    tags: ["registry"],
    summary: "A page for people, or what this is",
    description: "A browser gets a page that shows who is here; who asks for anything but HTML gets JSON.",
    responses: {
      200: {
        description: "What this is.",
        content: {
          "application/json": {
            schema: { $ref: "#/components/schemas/About" },
            example: { name: "talk", version: "0.1.0", users: 1, docs: "/swagger" },
          },
          "text/html": { schema: { type: "string" as const }, example: "<!doctype html>" },
        },
      },
      ...foreign,
      ...down,
    },
  },
  metrics: {
    operationId: "metrics",
    tags: ["registry"],
    summary: "What the registry counts",
    description: "For Prometheus, in its text format 0.0.4. No user's name is in it.",
    responses: {
      200: {
        description: "The metrics.",
        content: {
          "text/plain": {
            schema: { type: "string" as const },
            example:
              '# HELP talk_users Users registered now.\n# TYPE talk_users gauge\ntalk_users{protocol="UDP"} 1\n',
          },
        },
      },
      ...foreign,
      ...down,
    },
  },
  events: {
    operationId: "watchUsers",
    tags: ["users"],
    summary: "Who comes, moves and leaves, as it happens",
    description:
      "Server-sent events. The first is `users`, whose data is the list of `GET /v1/users/`; it is left out if `Last-Event-ID` names the state that still holds. Then `joined`, `moved` or `left`, whose data is a user and its address; of `left`, the address that was. Applying them to the list in order gives the list. Each `id` names the state after its event. A comment comes every 15 s; a reader for whom more than 1 MB waits is cut off. `retry` says how long whoever loses the stream should wait at most.",
    parameters: [
      {
        name: "Last-Event-ID",
        in: "header" as const,
        required: false,
        ...header("The `id` of the last event that is known.", "vF2h0UM3nS3bq0YzO8h5rA"),
      },
    ],
    responses: {
      200: {
        description: "The events, for as long as both sides want.",
        content: {
          "text/event-stream": {
            schema: { type: "string" as const },
            example: `event: users\nid: vF2h0UM3nS3bq0YzO8h5rA\ndata: ${JSON.stringify({ bob: BOB })}\n\nevent: left\nid: Xx7lPs2aXoHrTn1wUoG0bg\ndata: ${JSON.stringify({ user: "bob", address: BOB })}\n\n`,
          },
        },
      },
      ...foreign,
      429: refusal("Your address has 250 streams open.", refused("too-many-streams")),
      503: refusal("The store does not answer now, or 20,000 streams are open.", refused("streams-full")),
    },
  },
  create: {
    operationId: "createUser",
    tags: ["users"],
    summary: "Register a new user",
    security,
    description:
      "Fails if the name is taken. Who shows a secret owns the name: only who shows it again changes or removes the user, also after a crash. A missing port means the protocol's default (8080, 8082, 3000); an unspecified host (`0.0.0.0`, `::`), or a loopback host named from another machine, becomes the address that the request came from.",
    requestBody: body("Registration", { user: "bob", address: BOB }),
    responses: {
      200: ok,
      409: taken,
      ...refusals,
      ...foreign,
      ...limits,
      ...down,
    },
  },
  read: {
    operationId: "readUser",
    tags: ["users"],
    summary: "Where one user listens",
    description: "The address of one user.",
    parameters: [userParameter],
    responses: {
      200: answer("The address.", "Address", BOB),
      ...foreign,
      ...noUser,
      ...down,
    },
  },
  put: {
    operationId: "putUser",
    tags: ["users"],
    summary: "Register or move a user",
    security,
    description:
      "Creates the user if it is missing, else replaces its address. Hosts and ports are read as for POST.",
    parameters: [userParameter],
    requestBody: body("NewAddress", BOB),
    responses: { 200: ok, ...refusals, ...ownership, ...limits, ...down },
  },
  reach: {
    operationId: "reachUser",
    tags: ["users"],
    summary: "Whether the registry reaches a user",
    security,
    description:
      "Probes the registered address now, as the regular checks do, within 4 s, and removes nobody. For whoever may change the user, once in 5 s.",
    parameters: [userParameter],
    responses: {
      200: answer("What was found; `from` is the registry's address towards the user.", "Reached", {
        status: "ok",
        reached: "no",
        reason: "no answer in 3 s",
        from: "10.0.0.1",
      }),
      ...ownership,
      ...noUser,
      429: refusal(
        "It was asked for this user or address a moment ago.",
        refused("asked-too-soon", { retryAfter: 5 }),
      ),
      ...down,
    },
  },
  remove: {
    operationId: "removeUser",
    tags: ["users"],
    summary: "Remove a user",
    security,
    description: "Answers the same whether or not there was such a user.",
    parameters: [userParameter],
    responses: {
      200: ok,
      400: refusal("The secret is none that can have been meant.", {
        message: 'A secret must be 1 to 1024 of a-z, A-Z, 0-9 and "-._~+/", then perhaps "=".',
      }),
      ...ownership,
      ...down,
    },
  },
};

function body(schema: string, example: unknown) {
  return {
    required: true,
    content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` }, example } },
  };
}

function answer(description: string, schema: string, example: unknown) {
  return {
    description,
    content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` }, example } },
  };
}

/** An error as an answer, with how long to wait where it says so. */
function refusal(
  description: string,
  { message, retryAfter }: { message: string; retryAfter?: number | undefined },
) {
  const refused = answer(description, "Failure", { status: "error", message });
  return retryAfter === undefined
    ? refused
    : { ...refused, headers: { "Retry-After": header("Seconds to wait.", retryAfter) } };
}

function header(description: string, example: string | number) {
  const type = typeof example === "string" ? ("string" as const) : ("integer" as const);
  return { description, schema: { type }, example };
}
