/** The stream of who comes, moves and leaves, as server-sent events (WHATWG HTML §9.2): encoded once for all who listen. */
import { isLoopback } from "../../core/address.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { refused, TalkError } from "../../core/errors.ts";
import type { WatchedStore } from "../stores/watched-store.ts";
import { type Change, createKnownUsers, type KnownUsers } from "./changes.ts";
import { blockOf } from "./limits.ts";
import { serialize } from "./user-list.ts";

/** Most streams at once, and of them from one source, be it one of IPv4 or a network of IPv6. */
const MAX_STREAMS = 20_000;
const MAX_STREAMS_OF_SOURCE = 250;

/** Most bytes that wait for one reader, besides the list it began with; one who has more is cut off. */
const MAX_WAITING_BYTES = 1_000_000;

/** How often everybody gets a comment, in milliseconds: proxies cut what is silent for a minute or less. */
const COMMENT_MS = 15_000;

/** Changes are gathered for so many times as long as telling the last ones took, and at most so many milliseconds. */
const GATHER = { factor: 4, maxMs: 250 };

/** Streams written to in one turn of the event loop, which takes 1 to 2 ms, while other requests wait. */
const WRITES_PER_TURN = 128;

/** How long whoever loses the stream should wait, so that all of them do not come back at once. */
const RETRY = { leastMs: 1000, perStreamMs: 1.5 };

/** How soon a list that could not be had is asked for again, in milliseconds. */
const RETRY_STORE_MS = 250;

/** How soon whoever asks a registry that ends may ask the next one, in seconds. */
const ENDING_SECONDS = 1;

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  // nginx would gather them.
  "x-accel-buffering": "no",
};

export interface Events {
  /**
   * Answers a request for the stream, once the first event is at least as new as the request.
   * @param source the IP address that asks
   * @param timeout cuts the connection off after so many seconds without a byte; 0 for never
   * @throws `too-many-streams`, `streams-full`, StoreUnavailable
   */
  open(request: Request, source: string, timeout: (seconds: number) => void): Promise<Response>;
  /** Streams open at this moment. */
  count(): number;
  /** Ends all streams at once, and refuses more. */
  close(): void;
}

export interface EventsOptions {
  store: WatchedStore;
  /** @default the system's */
  clock?: Clock;
  maxStreams?: number;
  maxStreamsOfSource?: number;
}

/** One reader. */
interface Stream {
  controller: ReadableStreamDefaultController<Uint8Array>;
  /** Most bytes that may wait. */
  limit: number;
  timeout: (seconds: number) => void;
  /** Ends counting it. */
  give: () => void;
}

/** Somebody who waits for the next look at the store. */
interface Arrival {
  admit(known: KnownUsers): void;
  refuse(error: unknown): void;
}

export function createEvents({
  store,
  clock = systemClock,
  maxStreams = MAX_STREAMS,
  maxStreamsOfSource = MAX_STREAMS_OF_SOURCE,
}: EventsOptions): Events {
  const streams = new Set<Stream>();
  const sources = new Map<string, number>();
  /** Streams, and those who wait for one. */
  let taken = 0;
  let arrivals: Arrival[] = [];
  let closed = false;

  /** What is known while somebody listens; nobody's changes are followed otherwise. */
  let known: KnownUsers | undefined;
  let version: string | undefined;
  /** The first event for a newcomer, as long as nothing changes. */
  let greeting: Uint8Array | undefined;
  let stopWatching: (() => void) | undefined;
  let stopComments = () => {};

  let cancelLook: (() => void) | undefined;
  let looking = false;
  let lookAgain = false;
  let notBefore = 0;

  function lookSoon(): void {
    lookAgain = true;
    if (looking || closed) return;
    const ms = notBefore - clock.now();
    cancelLook ??= ms > 0 ? clock.after(ms, () => void look()) : soon(() => void look());
  }

  /** Compares the store with what is known, and tells everybody. One look after the other, so that order is kept. */
  async function look(): Promise<void> {
    cancelLook = undefined;
    looking = true;
    lookAgain = false;
    const newcomers = arrivals;
    arrivals = [];
    let pause: number;
    try {
      // Asked before the users are, so that a change in between makes the next look see it.
      const current = await store.version();
      const registrations = current === version ? undefined : await store.registrations();
      const began = clock.now();
      known ??= createKnownUsers();
      const before = [...streams];
      const changes = registrations ? known.update(registrations) : [];
      version = current;
      if (changes.length > 0) greeting = undefined;
      for (const newcomer of newcomers) {
        if (closed) newcomer.refuse(refused("streams-full", { retryAfter: ENDING_SECONDS }));
        else newcomer.admit(known);
      }
      if (changes.length > 0) await tell(before, encode(changes));
      pause = Math.min(GATHER.maxMs, GATHER.factor * (clock.now() - began));
    } catch (error) {
      for (const newcomer of newcomers) newcomer.refuse(error);
      if (!(error instanceof TalkError)) throw error;
      lookAgain = true;
      pause = RETRY_STORE_MS;
    }
    looking = false;
    notBefore = clock.now() + pause;
    if (taken === 0) rest();
    else if (lookAgain) lookSoon();
  }

  /** Writes the same bytes to many. */
  async function tell(receivers: Iterable<Stream>, bytes: Uint8Array): Promise<void> {
    let writes = 0;
    for (const stream of receivers) {
      if (!streams.has(stream)) continue;
      write(stream, bytes);
      if (++writes % WRITES_PER_TURN === 0) await new Promise((resolve) => void setImmediate(resolve));
    }
  }

  function write(stream: Stream, bytes: Uint8Array): void {
    stream.controller.enqueue(bytes);
    if (-(stream.controller.desiredSize ?? 0) <= stream.limit) return;
    end(stream);
    // It takes nothing, not even the end.
    stream.timeout(1);
  }

  function end(stream: Stream): void {
    if (!streams.delete(stream)) return;
    stream.give();
    stream.controller.close();
  }

  /** A comment, with how long to wait after a loss. */
  function comment(): Uint8Array {
    const retryMs = Math.max(RETRY.leastMs, RETRY.perStreamMs * taken);
    return encoder.encode(`:\nretry: ${Math.round(retryMs)}\n\n`);
  }

  function commentLater(): void {
    stopComments = clock.after(COMMENT_MS, () => {
      commentLater();
      void tell([...streams], comment());
    });
  }

  function work(): void {
    if (stopWatching) return;
    stopWatching = store.watch(lookSoon);
    commentLater();
  }

  /** Nobody listens any more. */
  function rest(): void {
    if (looking) return;
    cancelLook?.();
    cancelLook = undefined;
    stopWatching?.();
    stopWatching = undefined;
    stopComments();
    known = undefined;
    version = undefined;
    greeting = undefined;
  }

  /** Counts a stream. @returns what ends the counting @throws `too-many-streams`, `streams-full` */
  function take(source: string): () => void {
    if (closed) throw refused("streams-full", { retryAfter: ENDING_SECONDS });
    if (taken >= maxStreams) throw refused("streams-full");
    const block = isLoopback(source) ? undefined : blockOf(source);
    const ofSource = block === undefined ? 0 : (sources.get(block) ?? 0);
    if (ofSource >= maxStreamsOfSource) throw refused("too-many-streams");
    taken++;
    if (block !== undefined) sources.set(block, ofSource + 1);
    let given = true;
    return () => {
      if (!given) return;
      given = false;
      taken--;
      if (taken === 0) rest();
      if (block === undefined) return;
      const left = (sources.get(block) ?? 1) - 1;
      if (left === 0) sources.delete(block);
      else sources.set(block, left);
    };
  }

  /** The answer to a newcomer: the list, unless that is what the newcomer has, and then what changes. */
  function streamTo(request: Request, known: KnownUsers, timeout: Stream["timeout"], give: () => void) {
    const holds = request.headers.get("last-event-id") === known.state();
    const first = holds ? undefined : greet(known);
    timeout(0);
    let stream: Stream;
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const limit = MAX_WAITING_BYTES + (first?.byteLength ?? 0);
          stream = { controller, limit, timeout, give };
          streams.add(stream);
          controller.enqueue(comment());
          if (first) controller.enqueue(first);
        },
        cancel() {
          if (streams.delete(stream)) give();
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
    );
    return new Response(body, { headers: HEADERS });
  }

  function greet(known: KnownUsers): Uint8Array {
    const event = () => `event: users\nid: ${known.state()}\ndata: ${serialize(known.users())}\n\n`;
    greeting ??= encoder.encode(event());
    return greeting;
  }

  return {
    async open(request, source, timeout) {
      const give = take(source);
      if (request.method === "HEAD") {
        give();
        return new Response(null, { headers: HEADERS });
      }
      work();
      const { promise, resolve, reject } = Promise.withResolvers<Response>();
      arrivals.push({
        admit: (known) => resolve(streamTo(request, known, timeout, give)),
        refuse(error) {
          give();
          reject(error);
        },
      });
      lookSoon();
      return promise;
    },
    count: () => streams.size,
    close() {
      closed = true;
      for (const { refuse } of arrivals.splice(0))
        refuse(refused("streams-full", { retryAfter: ENDING_SECONDS }));
      for (const stream of [...streams]) end(stream);
      rest();
    },
  };
}

/** Runs something once this turn of the event loop is over, which is sooner than any timer. */
function soon(run: () => void): () => void {
  const immediate = setImmediate(run);
  return () => clearImmediate(immediate);
}

const encoder = new TextEncoder();

function encode(changes: readonly Change[]): Uint8Array {
  return encoder.encode(
    changes
      .map(
        ({ type, user, address, state }) =>
          `event: ${type}\nid: ${state}\ndata: ${JSON.stringify({ user, address })}\n\n`,
      )
      .join(""),
  );
}
