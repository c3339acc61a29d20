import { canonicalHost, urlHost } from "../../core/address.ts";
import { startDeadline } from "../../core/clock.ts";
import { resolveContact } from "../../core/denylist.ts";
import { CannotListen, MethodNotAllowed, refused } from "../../core/errors.ts";
import { failureOf, OK, pathOf, readJson, readRetryAfter, strictly } from "../../core/http.ts";
import { createOriginGuard } from "../../core/origin-guard.ts";
import { CLIENT_PATHS } from "../../core/protocol.ts";
import { request } from "../../core/request.ts";
import { Message, parse } from "../../core/schemas.ts";
import { byConnection } from "../happy-eyeballs.ts";
import { notReached, unreachable } from "../network-errors.ts";
import type { Deferral, Outcome, Transport } from "./types.ts";

/** How long a peer may take for its answer, in milliseconds. */
const ANSWER_MS = 5000;

/** How long a request may take to come, headers and body, and a connection may be idle, in seconds. */
const IDLE_SECONDS = 10;

/** How long to wait where a peer does not say, in milliseconds. */
const DEFERRAL_MS = 1000;

/** The longest answer that is read; Talk's own are far shorter. */
const MAX_ANSWER_BYTES = 4096;

type Answer = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>;

/** The `User-Agent` of Ktor's HTTP client, of versions 1 and 2. */
const KTOR_CLIENT = /^ktor[ -]client/i;

/** Messages as POST requests. */
export const http: Transport = {
  // The next request leaves when the last is answered: requests side by side may overtake each other.
  window: { messages: 1, bytes: Number.POSITIVE_INFINITY },

  async listen({ host, port, onMessage, delay, publicHost }) {
    const guard = createOriginGuard(host, publicHost);
    const health: Answer = (request) => {
      guard(request);
      return healthFor(request);
    };
    const routes: Record<string, Record<string, Answer>> = {
      [CLIENT_PATHS.health]: { GET: health },
      [CLIENT_PATHS.root]: { GET: health },
      [CLIENT_PATHS.message]: {
        async POST(request, server) {
          guard(request);
          const source = server.requestIP(request)?.address ?? "";
          const message = parse(Message, await readJson(request, strictly));
          // Not before it has come: of many that come at once, each would find that there is room.
          const wait = delay?.(source) ?? 0;
          if (wait > 0) throw refused("too-fast", { retryAfter: Math.ceil(wait / 1000) });
          onMessage(message, source);
          return Response.json(OK);
        },
      },
    };
    try {
      const server = Bun.serve({
        hostname: host,
        port,
        // Counted in readJson, which answers in JSON where Bun would answer with nothing.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        routes,
        idleTimeout: IDLE_SECONDS,
        fetch(request) {
          guard(request);
          const methods = Object.keys(routes[pathOf(request)] ?? {});
          if (methods.length > 0) throw new MethodNotAllowed(methods);
          throw refused("unknown-path", { hint: `messages go to ${CLIENT_PATHS.message}` });
        },
        error: failureOf,
      });
      return { port: server.port ?? port, close: () => server.stop(true) };
    } catch (error) {
      throw CannotListen.from(error, host, port);
    }
  },

  createSender(mayContact) {
    /** Ends each request that is under way. */
    const underWay = new Set<() => void>();
    return {
      async send({ host, port }, body) {
        const { signal, clear, expire } = startDeadline(ANSWER_MS);
        const startedAt = performance.now();
        let left = false;
        underWay.add(expire);
        try {
          const ips = await byConnection(await resolveContact(host, mayContact, signal), port);
          signal.throwIfAborted();
          left = true;
          const response = await firstReached(ips, (ip) =>
            request(`http://${urlHost(ip)}:${port}${CLIENT_PATHS.message}`, {
              method: "POST",
              headers: headersFor(host, ip, port),
              body,
              signal,
            }),
          );
          await finish(response);
          if (response.ok) return { type: "delivered" };
          return deferral(response) ?? refusal(response);
        } catch (error) {
          if (!left && signal.aborted)
            return { type: "failed", reason: "its host was not found in time", absent: true };
          return outcomeOf(error, performance.now() - startedAt);
        } finally {
          clear();
          underWay.delete(expire);
        }
      },
      close() {
        for (const expire of underWay) expire();
      },
    };
  },
};

/** The host is named only where it is not the address itself: Bun keeps no connection for a request that names one. */
function headersFor(host: string, ip: string, port: number): Record<string, string> {
  const type = { "content-type": "application/json" };
  return canonicalHost(host) === ip ? type : { ...type, host: `${urlHost(host)}:${port}` };
}

/** Reads a short answer to its end, which is cheapest, and hangs up on any other: a peer could answer without end. */
async function finish(response: Response): Promise<void> {
  const isShort = Number(response.headers.get("content-length") ?? Number.NaN) <= MAX_ANSWER_BYTES;
  // What was answered is known by its status, whatever becomes of the rest.
  await (isShort ? response.arrayBuffer() : response.body?.cancel())?.catch(() => {});
}

/** Too many requests, or unavailable for a time that is told (RFC 6585 §4, RFC 9110 §10.2.3). */
function deferral({ status, headers }: Response): Deferral | undefined {
  const ms = readRetryAfter(headers.get("retry-after"));
  if (status === 429 || (status === 503 && ms !== undefined))
    return { type: "deferred", ms: ms || DEFERRAL_MS };
  return undefined;
}

/** Statuses that are about the text, which will be the same the next time: invalid, too large, of no type it takes. */
const ABOUT_THE_TEXT: readonly number[] = [400, 413, 415, 422];

function refusal({ status }: Response): Outcome {
  const reason = `it answered ${status}`;
  return ABOUT_THE_TEXT.includes(status)
    ? { type: "failed", reason, permanent: true }
    : { type: "failed", reason };
}

/** The first IP address that does not prove that nothing has reached it. @throws what the last attempt threw */
async function firstReached<T>(
  [ip = "", ...others]: string[],
  attempt: (ip: string) => Promise<T>,
): Promise<T> {
  try {
    return await attempt(ip);
  } catch (error) {
    if (others.length === 0 || unreachable(error) === undefined) throw error;
    return firstReached(others, attempt);
  }
}

/** @param ms how long the peer had for its answer */
function outcomeOf(error: unknown, ms: number): Outcome {
  const failure = notReached(error);
  if (failure) return failure;
  if (error instanceof Error && error.name === "TimeoutError") {
    return { type: "unanswered", seconds: Math.round(Math.min(ms, ANSWER_MS) / 100) / 10 };
  }
  return { type: "broken" };
}

/** That we are well. A registry on Ktor takes the text `OK` alone for an answer; the others look at the status. */
function healthFor({ headers }: Request): Response {
  return KTOR_CLIENT.test(headers.get("user-agent") ?? "") ? new Response("OK") : Response.json(OK);
}
