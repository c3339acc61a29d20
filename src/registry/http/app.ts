import { Elysia, type InternalRoute } from "elysia";
import { systemClock } from "../../core/clock.ts";
import { MethodNotAllowed, refused, TalkError } from "../../core/errors.ts";
import { failure, leniently, OK, pathOf, readJson } from "../../core/http.ts";
import { isUserName } from "../../core/names.ts";
import { REGISTRY_PATHS } from "../../core/protocol.ts";
import { Address, parse, Registration, type UserName, UserParams } from "../../core/schemas.ts";
import type { LookAt } from "../health/reachability.ts";
import type { Log } from "../log.ts";
import { andThen } from "../maybe-promise.ts";
import { createMetrics, METRICS_TYPE, type Metrics } from "../metrics.ts";
import { OPERATOR } from "../stores/ownership.ts";
import type { StoreRefusal } from "../stores/types.ts";
import type { WatchedStore } from "../stores/watched-store.ts";
import { claimOf } from "./auth.ts";
import { createCounted } from "./counted.ts";
import { docs } from "./docs.ts";
import { createEvents, type Events } from "./events.ts";
import { createReachLimit, createRegistrationLimits, type RegistrationLimits } from "./limits.ts";
import { type ListenPlace, markedAsReachable, placeOf, reachableAddress } from "./listen-place.ts";
import { operations } from "./operations.ts";
import { pages } from "./pages/index.ts";
import { createListAnswer } from "./user-list.ts";

const { users, health, events: eventsPath, metrics: metricsPath } = REGISTRY_PATHS;
const user = `${users}/:user` as const;

/**
 * Time from a response to the end of the next request, in seconds. It covers idle connections and slow requests alike:
 * partial data does not extend it. Bun adds up to 4 s.
 */
const IDLE_SECONDS = 10;

export interface AppOptions {
  store: WatchedStore;
  /** The event streams; close them before the server. @default the app's own */
  events?: Events;
  /** @default the app's own */
  metrics?: Metrics;
  /** @default ignores events */
  log?: Log;
  /** The host name of a proxy in front of the registry. */
  publicHost?: string | undefined;
  /** Whether anybody may change any name. @default false: whoever registers a name with a secret owns it */
  open?: boolean | undefined;
  /** Tests whether a user can be reached. @default answers as if there were no such user */
  lookAt?: LookAt;
  /** @default the limits of `limits.ts`, which exempt this machine */
  limits?: RegistrationLimits;
}

/** The registry's HTTP API on top of a store; call `.listen()` to serve it. */
export function createApp({
  store,
  events = createEvents({ store }),
  metrics = createMetrics(),
  log = () => {},
  publicHost,
  open = false,
  lookAt,
  limits = createRegistrationLimits({
    isLive: (user) => andThen(store.get(user), Boolean),
    clock: systemClock,
  }),
}: AppOptions) {
  const answerList = createListAnswer(store);
  const claimTo = open ? () => OPERATOR : claimOf;
  const limitReach = createReachLimit();
  const counted = createCounted(metrics, refuse);
  const recordOther = metrics.recorder("other");
  /** Depends on where the app listens, which is known at the first request. */
  let place: ListenPlace | undefined;

  const app = new Elysia({
    // Accept hosts without a dot, such as `Host: db`.
    handler: { standardHostname: false },
    // Body size is limited while reading, so that the error for a large body is JSON too.
    serve: {
      reusePort: false,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      idleTimeout: IDLE_SECONDS,
    },
  })
    // Requests without a route; `counted` answers what a handler throws.
    .onError(({ error, request }) => refuseUnrouted(error, request))
    // `wrap` and not `onRequest`, for which Elysia would parse the URL of each request.
    .wrap((answer, request) => {
      place ??= placeOf(app.server, publicHost);
      try {
        place.guard(request);
      } catch (error) {
        return () => refuseUnrouted(error, request);
      }
      return place.onNetwork ? markedAsReachable(answer) : answer;
    })
    .use(docs(counted, (): InternalRoute[] => app.routes))
    .use(pages(counted, async () => [...(await store.registrations())].length, operations.about))
    .get(
      health,
      counted(operations.health.operationId, () => OK),
      { detail: operations.health },
    )
    .get(
      users,
      counted(operations.list.operationId, ({ request }) => answerList(request)),
      { detail: operations.list },
    )
    .get(
      eventsPath,
      counted(operations.events.operationId, async ({ request }) =>
        events.open(request, sourceOf(request), (seconds) => app.server?.timeout(request, seconds)),
      ),
      { detail: operations.events },
    )
    .get(
      metricsPath,
      counted(operations.metrics.operationId, async () => {
        const text = metrics.text({ users: await store.registrations(), streams: events.count() });
        return new Response(text, { headers: { "content-type": METRICS_TYPE, "cache-control": "no-store" } });
      }),
      { detail: operations.metrics },
    )
    .post(
      users,
      counted(operations.create.operationId, async ({ request }) => {
        const { user, address } = parse(Registration, await readJson(request, leniently));
        return save("create", user, address, request);
      }),
      { detail: operations.create },
    )
    .get(
      user,
      counted(operations.read.operationId, async ({ params }) => {
        // Invalid percent-encoding arrives as U+FFFD, or, without a socket, as undefined.
        const address = isUserName(params.user) && (await store.get(params.user));
        if (!address) throw refused("unknown-user");
        return address;
      }),
      { detail: operations.read },
    )
    .put(
      user,
      counted(operations.put.operationId, async ({ params, request }) => {
        const { user } = parse(UserParams, params);
        return save("put", user, parse(Address, await readJson(request, leniently)), request);
      }),
      { detail: operations.put },
    )
    .delete(
      user,
      counted(operations.remove.operationId, async ({ params, request }) => {
        if (!isUserName(params.user)) return OK;
        const result = await store.remove(params.user, claimTo(request));
        if (result === "done") log({ type: "left", user: params.user });
        else if (result !== "absent") throw refused(result);
        return OK;
      }),
      { detail: operations.remove },
    )
    .post(
      `${user}/reach`,
      counted(operations.reach.operationId, async ({ params, request }) => {
        if (!lookAt || !isUserName(params.user)) throw refused("unknown-user");
        limitReach(sourceOf(request));
        const result = await store.mayChange(params.user, claimTo(request));
        if (result === "absent") throw refused("unknown-user");
        if (result !== "done") throw refused(result);
        const address = await store.get(params.user);
        if (!address) throw refused("unknown-user");
        const { from, ...found } = await lookAt(params.user, address);
        return { ...OK, ...found, ...(from !== undefined && { from }) };
      }),
      { detail: operations.reach },
    );

  /** Stores a user at an address that others can reach, within the limits of the source. */
  function save(how: "create" | "put", user: UserName, given: Address, request: Request) {
    const source = sourceOf(request);
    const address = reachableAddress(given, source);
    const claim = claimTo(request);
    const stored = limits.within<StoreRefusal | "done">(user, source, () => store[how](user, address, claim));
    return andThen(stored, (result) => {
      if (result !== "done") throw refused(result);
      log({ type: how === "create" ? "registered" : "updated", user, address });
      return OK;
    });
  }

  /** An error as a response. */
  function refuse(error: unknown, request: Request): Response {
    const refusal = toTalkError(error, request, methodsAt);
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (refusal.code === "store-unavailable" && !isRead) metrics.writeFailed();
    return failure(refusal);
  }

  /** Answers a request that no route took. */
  function refuseUnrouted(error: unknown, request: Request): Response {
    const answer = refuse(error, request);
    recordOther(answer.status, 0);
    return answer;
  }

  /** The client's IP address; without a socket, loopback. */
  function sourceOf(request: Request): string {
    return place?.onlySource ?? app.server?.requestIP(request)?.address ?? "127.0.0.1";
  }

  /** The methods with a route for a path. */
  function methodsAt(path: string): string[] {
    const fits = (pattern: string) => new RegExp(`^${pattern.replace(/:\w+/g, "[^/]+")}/?$`).test(path);
    return app.routes.filter((route) => fits(route.path)).map(({ method }) => method);
  }

  return app;
}

/** The one place that turns anything thrown into a TalkError. */
function toTalkError(error: unknown, request: Request, methodsAt: (path: string) => string[]): TalkError {
  if (error instanceof TalkError) return error;
  if (error instanceof Error && "code" in error && error.code === "NOT_FOUND") {
    const allowed = methodsAt(pathOf(request));
    if (allowed.length > 0) return new MethodNotAllowed(allowed);
    return refused("unknown-path", { hint: `the API is described at ${REGISTRY_PATHS.docs}` });
  }
  process.stderr.write(`error: ${error instanceof Error ? error.stack : String(error)}\n`);
  return new TalkError("unexpected", "The registry failed; its log says why. Please report it.");
}
