/** Follows a registry's stream of changes, if it has one, to keep the list current. */
import { type Clock, systemClock } from "../../core/clock.ts";
import { readRetryAfter } from "../../core/http.ts";
import { REGISTRY_PATHS } from "../../core/protocol.ts";
import { isCompressed, request } from "../../core/request.ts";
import { isRecord } from "../../core/schemas.ts";
import { failureOf } from "./api.ts";
import { readEventStream, type ServerSentEvent } from "./event-stream.ts";
import { differences, readUsers } from "./listed-users.ts";
import type { ListedAddress, Users } from "./types.ts";

/** How long the registry may take to start the stream, in milliseconds. */
const ANSWER_MS = 5000;

/** Silence after which the connection counts as dead, in milliseconds; a registry sends something every 15 s. */
const SILENCE_MS = 45_000;

/** Most characters of one event: enough for 100,000 users with the longest names and hosts. */
const MAX_EVENT = 48 * 1024 * 1024;

/**
 * Upper bound of the first random wait before reconnecting, in milliseconds, unless the registry sets another; doubled
 * after each failure. Full jitter keeps thousands of clients from overrunning a registry that restarts
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
const BACKOFF = { leastMs: 1000, defaultMs: 5000, mostMs: 30_000 };

/** Event ids that can resume a stream, because they fit into a header; with any other, it starts over. */
const RESUMABLE = /^[\x21-\x7e]{1,1024}$/;

/** How long to wait before asking a registry without a stream again, in milliseconds. */
const ABSENT_MS = 600_000;

export interface Follower {
  /** Called with the current list. */
  onUsers: (users: Users) => void;
  /** The registry cannot be reached. */
  onAway: (reason: string) => void;
}

export interface Following {
  /** Counts the stream's updates; read it before requesting a list. */
  position(): number;
  /**
   * Takes in a requested list, and returns the one to use: the stream's own, if it was updated since the request.
   * @param since the `position` before the request
   */
  know(users: Users, since: number): Users;
  stop(): void;
}

export interface ChangeFollowerOptions {
  clock?: Clock;
  /** From [0, 1). */
  random?: () => number;
}

interface Shared {
  listeners: Set<Follower>;
  position(): number;
  know(users: Users, since: number): Users;
  latest(): Users | undefined;
  stop(): void;
}

/**
 * This process's streams, by registry. Shared by all users of one registry, because `fetch` allows 256 requests at
 * once, and a stream is one that never ends.
 */
const streams = new Map<string, Shared>();

/** @param url the registry's URL, without a trailing slash */
export function followChanges(
  url: string,
  listener: Follower,
  options: ChangeFollowerOptions = {},
): Following {
  const shared = streams.get(url) ?? openShared(url, options);
  streams.set(url, shared);
  shared.listeners.add(listener);
  const latest = shared.latest();
  if (latest) listener.onUsers(latest);

  return {
    position: shared.position,
    know: shared.know,
    stop() {
      if (!shared.listeners.delete(listener) || shared.listeners.size > 0) return;
      streams.delete(url);
      shared.stop();
    },
  };
}

/** How a stream ended, or why there was none. */
type End =
  | { type: "lost" }
  /** Not a stream in our format; retrying at once would not help. */
  | { type: "broken" }
  | { type: "away"; reason: string }
  | { type: "absent" }
  | { type: "refused"; waitMs: number };

/** How long to wait before asking again, in milliseconds. @param failures since there was a stream */
export function backoffMs(retryMs: number, failures: number, random: () => number): number {
  return random() * Math.min(BACKOFF.mostMs, retryMs * 2 ** failures);
}

function openShared(
  base: string,
  { clock = systemClock, random = Math.random }: ChangeFollowerOptions,
): Shared {
  const listeners = new Set<Follower>();
  const stopped = new AbortController();
  let users: Users = new Map();
  /** Event id of the state in `users`; undefined if they come from elsewhere. */
  let id: string | undefined;
  let isLive = false;
  let position = 0;
  let retryMs = BACKOFF.defaultMs;

  async function run(): Promise<void> {
    for (let failures = 0; !stopped.signal.aborted; ) {
      const end = await read();
      failures = isLive && end.type !== "broken" ? 0 : failures + 1;
      isLive = false;
      if (stopped.signal.aborted) return;
      if (end.type === "away") for (const { onAway } of listeners) onAway(end.reason);
      await pause(waitAfter(end, failures));
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      stopped.signal.addEventListener("abort", () => {
        cancel();
        resolve();
      });
    });
  }

  function waitAfter(end: End, failures: number): number {
    if (end.type === "absent") return ABSENT_MS * (1 + random());
    if (end.type === "refused") return end.waitMs * (1 + random());
    return backoffMs(retryMs, failures, random);
  }

  /** Reads a stream to its end. */
  async function read(): Promise<End> {
    const silence = new AbortController();
    const giveUp = () => silence.abort(new DOMException("silence", "TimeoutError"));
    let cancelSilence = clock.after(ANSWER_MS, giveUp);
    const signal = AbortSignal.any([stopped.signal, silence.signal]);
    try {
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (id !== undefined && RESUMABLE.test(id)) headers["last-event-id"] = id;
      const response = await request(base + REGISTRY_PATHS.events, { redirect: "follow", headers, signal });
      const type = response.headers.get("content-type") ?? "";
      if (!response.ok || !type.startsWith("text/event-stream") || isCompressed(response)) {
        await response.body?.cancel();
        return refusal(response);
      }

      async function* chunks() {
        for await (const chunk of response.body ?? []) {
          cancelSilence();
          cancelSilence = clock.after(SILENCE_MS, giveUp);
          yield chunk;
        }
      }

      for await (const events of readEventStream(chunks(), { limit: MAX_EVENT, onRetry })) {
        if (!apply(events)) return { type: "broken" };
      }
      return { type: "lost" };
    } catch (error) {
      if (isLive) return { type: "lost" };
      return { type: "away", reason: failureOf(base, error).message };
    } finally {
      cancelSilence();
    }
  }

  function onRetry(ms: number): void {
    retryMs = Math.min(BACKOFF.mostMs, Math.max(BACKOFF.leastMs, ms));
  }

  /** Applies the events of one chunk together; false if one is malformed. */
  function apply(events: readonly ServerSentEvent[]): boolean {
    const hasBegun = !isLive;
    isLive = true;
    // A stream that starts with just a comment confirms the known state.
    if (events.length === 0 && !(hasBegun && id !== undefined)) return true;
    let changed: Map<string, ListedAddress> | undefined = new Map(users);
    for (const event of events) changed = changed && applied(changed, event);
    if (!changed) return false;
    users = changed;
    position++;
    id = events.at(-1)?.id ?? id;
    for (const { onUsers } of listeners) onUsers(users);
    return true;
  }

  void run();
  return {
    listeners,
    latest: () => (isLive && id !== undefined ? users : undefined),
    position: () => position,
    know(listed, since) {
      if (isLive && position !== since) return users;
      if (users === listed || differences(users, listed).length === 0) return listed;
      users = listed;
      id = undefined;
      return listed;
    },
    stop: () => stopped.abort(),
  };
}

/** Other registries, and ours before 0.3, have no such path, and say so in various ways. */
function refusal({ status, headers }: Response): End {
  const waitMs = readRetryAfter(headers.get("retry-after"));
  if (waitMs !== undefined) return { type: "refused", waitMs };
  return status === 429 || status >= 500 ? { type: "lost" } : { type: "absent" };
}

/** The list after an event: unchanged by an unknown type; undefined if the event is malformed. */
function applied(
  users: Map<string, ListedAddress>,
  { type, data }: ServerSentEvent,
): Map<string, ListedAddress> | undefined {
  if (!["users", "joined", "moved", "left"].includes(type)) return users;
  const content = contentOf(data);
  if (!isRecord(content)) return undefined;
  if (type === "users") return new Map(readUsers(content));
  const { user, address } = content;
  if (typeof user !== "string") return undefined;
  if (type === "left") users.delete(user);
  // Skip invalid addresses, as in a list.
  else for (const [name, listed] of readUsers({ [user]: address }) ?? []) users.set(name, listed);
  return users;
}

function contentOf(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
