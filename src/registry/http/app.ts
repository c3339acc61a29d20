import { Elysia, type InternalRoute } from "elysia";
import { systemClock } from "../../core/clock.ts";
import { MethodNotAllowed, refused, TalkError } from "../../core/errors.ts";
import { failure, leniently, OK, pathOf, readJson } from "../../core/http.ts";
import { isUserName } from "../../core/names.ts";
import { REGISTRY_PATHS } from "../../core/protocol.ts";
import { Address, parse, Registration, type UserName, UserParams } from "../../core/schemas.ts";
import type { LookAt } from "../health/reach.ts";
import type { Log } from "../log.ts";
import { andThen } from "../maybe-promise.ts";
import { createMetrics, METRICS_TYPE, type Metrics, operationOf } from "../metrics.ts";
import { OPERATOR } from "../stores/ownership.ts";
import type { StoreRefusal } from "../stores/types.ts";
import type { WatchedStore } from "../stores/watched-store.ts";
import { claimOf } from "./auth.ts";
import { docs } from "./docs.ts";
import { createEvents, type Events } from "./events.ts";
import { createReachLimit, createRegistrationLimits, type RegistrationLimits } from "./limits.ts";
import { operations } from "./operations.ts";
import { pages } from "./pages/index.ts";
import { type ListenPlace, markedAsReachable, placeOf, reachableAddress } from "./place.ts";
import { createListAnswer } from "./user-list.ts";

const { users, health, events: eventsPath, metrics: metricsPath } = REGISTRY_PATHS;
const user = `${users}/:user` as const;

/**
 * How long a connection lives from one answer to the next request's end, in seconds, be it idle or trickling:
 * what arrives does not prolong it. Bun adds up to 4 s.
 */
const IDLE_SECONDS = 10;

export interface AppOptions {
  store: WatchedStore;
  /** The streams of changes, which whoever ends the registry ends first. @default those of this app alone */
  events?: Events;
  /** @default those of this app alone */
  metrics?: Metrics;
  /** @default nobody is told */
  log?: Log;
  /** The host of a proxy in front, if it is asked by a name. */
  publicHost?: string | undefined;
  /** Whether every name is everybody's. @default false: who shows a secret owns the name */
  open?: boolean | undefined;
  /** Finds out whether a user is reached. @default nobody can ask */
  lookAt?: LookAt;
  /** @default as `limits.ts` says; this machine is not counted */
  limits?: RegistrationLimits;
}

/** The registry's HTTP API over a store; it listens once `.listen()` is called. */
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
  /** What follows from where the app listens, which is known at the first request. */
  let place: ListenPlace | undefined;

  const app = new Elysia({
    // `Host: db` is a host like any other.
    handler: { standardHostname: false },
    // Bodies are counted as they are read, so that too large a one gets its answer in JSON.
    serve: {
      reusePort: false,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      idleTimeout: IDLE_SECONDS,
    },
  })
    .onError(({ error, request }) => refuse(error, request))
    // Around everything, and not `onRequest`, for which Elysia would make a URL of each request.
    .wrap((answer, request) => {
      try {
        place ??= placeOf(app.server, publicHost);
        place.guard(request);
        return timed(request, place.onNetwork ? markedAsReachable(answer) : answer);
      } catch (error) {
        return timed(request, () => refuse(error, request));
      }
    })
    .use(docs((): InternalRoute[] => app.routes))
    .use(pages(async () => [...(await store.registrations())].length, operations.about))
    .get(health, () => OK, { detail: operations.health })
    .get(
      users,
      ({ request }) => {
        const answer = answerList(request);
        // Not a call alone, which Elysia would wait for: a list that is there need not be waited for.
        return answer instanceof Promise ? orRefused(answer, request) : answer;
      },
      { detail: operations.list },
    )
    .get(
      eventsPath,
      async ({ request }) =>
        events.open(request, sourceOf(request), (seconds) => app.server?.timeout(request, seconds)),
      { detail: operations.events },
    )
    .get(
      metricsPath,
      async () => {
        const text = metrics.text({ users: await store.registrations(), streams: events.count() });
        return new Response(text, { headers: { "content-type": METRICS_TYPE, "cache-control": "no-store" } });
      },
      { detail: operations.metrics },
    )
    .post(
      users,
      async ({ request }) => {
        const { user, address } = parse(Registration, await readJson(request, leniently));
        return save("create", user, address, request);
      },
      { detail: operations.create },
    )
    .get(
      user,
      async ({ params }) => {
        // A percent-encoding that is none comes with U+FFFD, or without a socket as no name at all.
        const address = isUserName(params.user) && (await store.get(params.user));
        if (!address) throw refused("unknown-user");
        return address;
      },
      { detail: operations.read },
    )
    .put(
      user,
      async ({ params, request }) => {
        const { user } = parse(UserParams, params);
        return save("put", user, parse(Address, await readJson(request, leniently)), request);
      },
      { detail: operations.put },
    )
    .delete(
      user,
      async ({ params, request }) => {
        if (!isUserName(params.user)) return OK;
        const result = await store.remove(params.user, claimTo(request));
        if (result === "done") log({ type: "left", user: params.user });
        else if (result !== "absent") throw refused(result);
        return OK;
      },
      { detail: operations.remove },
    )
    .post(
      `${user}/reach`,
      async ({ params, request }) => {
        if (!lookAt || !isUserName(params.user)) throw refused("unknown-user");
        limitReach(sourceOf(request));
        const result = await store.mayChange(params.user, claimTo(request));
        if (result === "absent") throw refused("unknown-user");
        if (result !== "done") throw refused(result);
        const address = await store.get(params.user);
        if (!address) throw refused("unknown-user");
        const { from, ...found } = await lookAt(params.user, address);
        return { ...OK, ...found, ...(from !== undefined && { from }) };
      },
      { detail: operations.reach },
    );

  /** Stores a user at the address that others reach, within the limits of who asks. */
  async function save(how: "create" | "put", user: UserName, given: Address, request: Request) {
    const source = sourceOf(request);
    const address = reachableAddress(given, source);
    const claim = claimTo(request);
    const result = await limits.within<StoreRefusal | "done">(user, source, () =>
      store[how](user, address, claim),
    );
    if (result !== "done") throw refused(result);
    log({ type: how === "create" ? "registered" : "updated", user, address });
    return OK;
  }

  /** What went wrong, as an answer. */
  function refuse(error: unknown, request: Request): Response {
    const refusal = toTalkError(error, request, methodsAt);
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (refusal.code === "store-unavailable" && !isRead) metrics.writeFailed();
    return failure(refusal);
  }

  /** Counts the answer to a request, and how long it takes to begin. */
  function timed<A extends unknown[]>(request: Request, answer: (...args: A) => unknown) {
    const began = performance.now();
    function count(response: unknown): unknown {
      const status = response instanceof Response ? response.status : 200;
      metrics.answered(operationOf(request), status, (performance.now() - began) / 1000);
      return response;
    }
    return (...args: A) => andThen(answer(...args), count);
  }

  /** An answer that comes later, also if it is a refusal. */
  function orRefused(answer: Promise<Response>, request: Request): Promise<Response> {
    return answer.catch((error) => refuse(error, request));
  }

  /** The IP address that asks; without a socket it is this machine. */
  function sourceOf(request: Request): string {
    return place?.onlySource ?? app.server?.requestIP(request)?.address ?? "127.0.0.1";
  }

  /** The methods that the routes know for a path. */
  function methodsAt(path: string): string[] {
    const fits = (pattern: string) => new RegExp(`^${pattern.replace(/:\w+/g, "[^/]+")}/?$`).test(path);
    return app.routes.filter((route) => fits(route.path)).map(({ method }) => method);
  }

  return app;
}

/** The one place where whatever was thrown becomes one of our errors. */
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
