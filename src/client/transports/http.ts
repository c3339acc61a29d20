import { canonicalHost, urlHost } from "../../core/address.ts";
import { CannotListen } from "../../core/cannot-listen.ts";
import { startDeadline } from "../../core/clock.ts";
import { resolveContact } from "../../core/denylist.ts";
import { MethodNotAllowed, refused } from "../../core/errors.ts";
import { failureOf, OK, pathOf, readJson, readRetryAfter, strictly } from "../../core/http.ts";
import { createOriginGuard } from "../../core/origin-guard.ts";
import { CLIENT_PATHS } from "../../core/protocol.ts";
import { request } from "../../core/request.ts";
import { Message, parse } from "../../core/schemas.ts";
import { byConnection } from "../happy-eyeballs.ts";
import { notReached, unreachable } from "../network-errors.ts";
import { acquireSlot, releaseSlot } from "./request-slots.ts";
import type { Deferral, Outcome, Transport } from "./types.ts";

/** How long a peer may take to answer, in milliseconds. */
const ANSWER_MS = 5000;

/** How long a request may take to arrive, and a connection may stay idle, in seconds. */
const IDLE_SECONDS = 10;

/** How long to wait if the peer does not say, in milliseconds. */
const DEFERRAL_MS = 1000;

/** Most bytes of an answer that are read; Talk's own are far shorter. */
const MAX_ANSWER_BYTES = 4096;

type Answer = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>;

/** The `User-Agent` of Ktor's HTTP client, of versions 1 and 2. */
const KTOR_CLIENT = /^ktor[ -]client/i;

/** Messages as POST requests. */
export const http: Transport = {
  // One at a time: concurrent requests may overtake each other.
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
          // Only after the body has come: many requests arriving at once would each see room.
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
        // readJson enforces the limit, so that the answer is JSON; Bun's would be empty.
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
    /** Aborts the requests in flight. */
    const underWay = new Set<() => void>();
    let closed = false;
    return {
      async send({ host, port }, body) {
        await acquireSlot();
        const { signal, clear, expire } = startDeadline(ANSWER_MS);
        const startedAt = performance.now();
        let left = false;
        underWay.add(expire);
        try {
          if (closed) return { type: "failed", reason: "you have left", absent: true };
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
          releaseSlot();
          clear();
          underWay.delete(expire);
        }
      },
      close() {
        closed = true;
        for (const expire of underWay) expire();
      },
    };
  },
};

/** Sets Host only if it differs from the address, because Bun does not reuse connections for requests that set it. */
function headersFor(host: string, ip: string, port: number): Record<string, string> {
  const type = { "content-type": "application/json" };
  return canonicalHost(host) === ip ? type : { ...type, host: `${urlHost(host)}:${port}` };
}

/** Reads a short answer to its end, which keeps the connection, and hangs up on a longer one, which may be endless. */
async function finish(response: Response): Promise<void> {
  const isShort = Number(response.headers.get("content-length") ?? Number.NaN) <= MAX_ANSWER_BYTES;
  // The status is enough, whatever happens to the rest.
  await (isShort ? response.arrayBuffer() : response.body?.cancel())?.catch(() => {});
}

/** 429, or 503 with Retry-After (RFC 6585 §4, RFC 9110 §10.2.3). */
function deferral({ status, headers }: Response): Deferral | undefined {
  const ms = readRetryAfter(headers.get("retry-after"));
  if (status === 429 || (status === 503 && ms !== undefined))
    return { type: "deferred", ms: ms || DEFERRAL_MS };
  return undefined;
}

/** Statuses that blame the message, so that a retry would fail too: invalid, too large, unsupported type. */
const ABOUT_THE_TEXT: readonly number[] = [400, 413, 415, 422];

function refusal({ status }: Response): Outcome {
  const reason = `it answered ${status}`;
  return ABOUT_THE_TEXT.includes(status)
    ? { type: "failed", reason, permanent: true }
    : { type: "failed", reason };
}

/** Tries one IP address after another while errors prove that nothing arrived. @throws what the last attempt threw */
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

/** The health answer. A registry built on Ktor accepts only the text `OK`; others look at the status. */
function healthFor({ headers }: Request): Response {
  return KTOR_CLIENT.test(headers.get("user-agent") ?? "") ? new Response("OK") : Response.json(OK);
}
