/** The OpenAPI description of each operation. */
import { refused, StoreUnavailable } from "../../core/errors.ts";
import { OK } from "../../core/http.ts";
import { MAX_BODY_BYTES } from "../../core/protocol.ts";
import { type Address, UserName } from "../../core/schemas.ts";

const BOB: Address = { protocol: "UDP", host: "10.0.0.5", port: 3000 };

const ok = answer("Done.", "Ok", OK);

const refusals = {
  400: refusal("A name or address is invalid; the message says how.", {
    message: '"address.port" must be a whole number from 1 to 65535.',
  }),
  413: refusal(
    "The body is larger than 64 KiB.",
    refused("too-large", { what: "The body", limit: MAX_BODY_BYTES }),
  ),
  415: refusal("The body is not `application/json`, or is compressed.", refused("not-json")),
};

/** The response to web pages of another origin, on every route. */
const foreign = { 403: refusal("A cross-origin request.", refused("foreign-origin")) };

/** Responses to changes of a name that has an owner. */
const ownership = {
  401: {
    ...refusal("The name has an owner, and no secret was sent.", refused("unauthorized")),
    headers: { "WWW-Authenticate": header("The scheme to use.", "Bearer") },
  },
  403: refusal("The name has another owner, or the request is cross-origin.", refused("forbidden")),
};

const taken = answer("The name is taken; `owner` is `you` if its secret was sent.", "Taken", {
  status: "error",
  message: refused("own").message,
  owner: "you",
});

/** A secret is optional. */
const security: Record<string, string[]>[] = [{}, { owner: [] }];

/** Responses to requests that add a user. */
const limits = {
  429: refusal(
    "Too many users were registered from this address; the registry's own machine has no limit.",
    refused("too-many-users", { retryAfter: 1 }),
  ),
};

const noUser = { 404: refusal("There is no such user.", refused("unknown-user")) };

const down = {
  503: refusal(
    "The store is unavailable, or the registry is full.",
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

/** The documentation of each route, for Elysia's `detail`. */
export const operations = {
  health: {
    operationId: "health",
    tags: ["registry"],
    summary: "Whether the registry is up",
    description: "Answers as long as the registry runs. Meant for load balancers and other registries.",
    responses: { 200: answer("It is up.", "Ok", OK), ...foreign },
  },
  list: {
    operationId: "listUsers",
    tags: ["users"],
    summary: "All users and where they listen",
    description:
      "An object with a key per user. `/v1/users/` is the same. With `If-None-Match`, an unchanged list is answered with 304.",
    parameters: [
      {
        name: "If-None-Match",
        in: "header" as const,
        required: false,
        ...header("The `ETag` of the list the client already has.", '"2jmj7l5rSw0yVb_vlWAYkK"'),
      },
    ],
    responses: {
      200: {
        ...answer("The users.", "Users", { bob: BOB }),
        headers: {
          ETag: header("Identifies exactly this list.", '"2jmj7l5rSw0yVb_vlWAYkK"'),
        },
      },
      304: { description: "The list has not changed." },
      ...foreign,
      ...down,
    },
  },
  about: {
    operationId: "about",
    tags: ["registry"],
    summary: "A page for people, or facts about the registry",
    description: "Browsers get a page that shows who is here; requests for anything but HTML get JSON.",
    responses: {
      200: {
        description: "Facts about the registry.",
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
    summary: "Metrics",
    description: "For Prometheus, in its text format 0.0.4. Contains no user names.",
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
    summary: "Users joining, moving and leaving, as it happens",
    description:
      "Server-sent events. The first is `users`, whose data is the list of `GET /v1/users/`; it is omitted if `Last-Event-ID` identifies the current state. Then come `joined`, `moved` and `left`, whose data is a user and its address (for `left`, the last one). Applying them in order keeps the list current. Each `id` identifies the state after its event. A comment is sent every 15 s; a reader with more than 1 MB unsent is disconnected. `retry` is the longest a client should wait before it reconnects.",
    parameters: [
      {
        name: "Last-Event-ID",
        in: "header" as const,
        required: false,
        ...header("The `id` of the last event received.", "vF2h0UM3nS3bq0YzO8h5rA"),
      },
    ],
    responses: {
      200: {
        description: "The events, until either side closes the stream.",
        content: {
          "text/event-stream": {
            schema: { type: "string" as const },
            example: `event: users\nid: vF2h0UM3nS3bq0YzO8h5rA\ndata: ${JSON.stringify({ bob: BOB })}\n\nevent: left\nid: Xx7lPs2aXoHrTn1wUoG0bg\ndata: ${JSON.stringify({ user: "bob", address: BOB })}\n\n`,
          },
        },
      },
      ...foreign,
      429: refusal("Your address has 250 streams open.", refused("too-many-streams")),
      503: refusal("The store is unavailable, or 20,000 streams are open.", refused("streams-full")),
    },
  },
  create: {
    operationId: "createUser",
    tags: ["users"],
    summary: "Register a new user",
    security,
    description:
      "Fails if the name is taken. Registering with a secret makes you the owner: only requests with the same secret can change or remove the user, even after a crash. The port defaults to the protocol's (8080, 8082, 3000). An unspecified host (`0.0.0.0`, `::`), or a loopback host sent from another machine, is replaced by the address the request came from.",
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
    description: "The user's registered address.",
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
    description: "Creates the user, or replaces its address. Hosts and ports are treated as in POST.",
    parameters: [userParameter],
    requestBody: body("NewAddress", BOB),
    responses: { 200: ok, ...refusals, ...ownership, ...limits, ...down },
  },
  reach: {
    operationId: "reachUser",
    tags: ["users"],
    summary: "Whether the registry can reach a user",
    security,
    description:
      "Probes the registered address now, as the regular checks do, for up to 4 s, and never removes the user. Allowed to whoever may change the user, once every 5 s.",
    parameters: [userParameter],
    responses: {
      200: answer("The result; `from` is the registry's address on the route to the user.", "Reached", {
        status: "ok",
        reached: "no",
        reason: "no answer in 3 s",
        from: "10.0.0.1",
      }),
      ...ownership,
      ...noUser,
      429: refusal(
        "This user or address was tested a moment ago.",
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
    description: "Succeeds whether or not there was such a user.",
    parameters: [userParameter],
    responses: {
      200: ok,
      400: refusal("The secret is malformed.", {
        message: 'A secret must be 1 to 1024 of a-z, A-Z, 0-9 and "-._~+/", then optional "=".',
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

/** An error as a response, with Retry-After if it has one. */
function refusal(
  description: string,
  { message, retryAfter }: { message: string; retryAfter?: number | undefined },
) {
  const refused = answer(description, "Failure", { status: "error", message });
  return retryAfter === undefined
    ? refused
    : { ...refused, headers: { "Retry-After": header("Seconds to wait before trying again.", retryAfter) } };
}

function header(description: string, example: string | number) {
  const type = typeof example === "string" ? ("string" as const) : ("integer" as const);
  return { description, schema: { type }, example };
}
