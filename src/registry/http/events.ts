/** Streams users joining, moving and leaving as server-sent events (WHATWG HTML §9.2), encoded once for all readers. */
import { isLoopback } from "../../core/address.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { refused, TalkError } from "../../core/errors.ts";
import type { WatchedStore } from "../stores/watched-store.ts";
import { blockOf } from "./limits.ts";
import { type Change, createKnownUsers, type KnownUsers } from "./user-changes.ts";
import { serialize } from "./user-list.ts";

/** Most open streams, in total and per source (an IPv4 address or an IPv6 /64). */
const MAX_STREAMS = 20_000;
const MAX_STREAMS_OF_SOURCE = 250;

/** Most unsent bytes per reader, besides its initial list; a reader with more is disconnected. */
const MAX_WAITING_BYTES = 1_000_000;

/** How often every stream gets a comment, in milliseconds: proxies close connections idle for a minute or less. */
const COMMENT_MS = 15_000;

/** Changes are batched for `factor` times as long as the last batch took to send, up to `maxMs` milliseconds. */
const GATHER = { factor: 4, maxMs: 250 };

/** Streams written per turn of the event loop, which takes 1 to 2 ms while other requests wait. */
const WRITES_PER_TURN = 128;

/** The `retry` of a lost stream grows with the number of streams, so that they do not all reconnect at once. */
const RETRY = { leastMs: 1000, perStreamMs: 1.5 };

/** Pause after a failed read of the store, in milliseconds. */
const RETRY_STORE_MS = 250;

/** Retry-After of a registry that is shutting down, in seconds. */
const ENDING_SECONDS = 1;

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  // Keeps nginx from buffering.
  "x-accel-buffering": "no",
};

export interface Events {
  /**
   * Opens a stream. Resolves once its first event is at least as new as the request.
   * @param source the client's IP address
   * @param timeout sets the idle timeout of the connection, in seconds; 0 for none
   * @throws `too-many-streams`, `streams-full`, StoreUnavailable
   */
  open(request: Request, source: string, timeout: (seconds: number) => void): Promise<Response>;
  /** The number of open streams. */
  count(): number;
  /** Ends all streams, and refuses new ones. */
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
  /** Most unsent bytes. */
  limit: number;
  timeout: (seconds: number) => void;
  /** Stops counting it. */
  give: () => void;
}

/** A request waiting for the next read of the store. */
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
  /** Open streams and pending requests for one. */
  let taken = 0;
  let arrivals: Arrival[] = [];
  let closed = false;

  /** The users as last streamed; undefined while there are no streams. */
  let known: KnownUsers | undefined;
  let version: string | undefined;
  /** The first event for new streams, cached until something changes. */
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

  /** Compares the store with the known users, and streams the changes. Looks never overlap, so order is kept. */
  async function look(): Promise<void> {
    cancelLook = undefined;
    looking = true;
    lookAgain = false;
    const newcomers = arrivals;
    arrivals = [];
    let pause: number;
    try {
      // Read the version before the users, so that the next look catches a change in between.
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

  /** Writes the same bytes to many streams. */
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
    // The reader takes nothing, not even the end of the stream: let the connection time out.
    stream.timeout(1);
  }

  function end(stream: Stream): void {
    if (!streams.delete(stream)) return;
    stream.give();
    stream.controller.close();
  }

  /** A comment, with how long to wait before reconnecting. */
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

  /** Stops watching the store once no stream is left. */
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

  /** Counts a stream. @returns a function that stops counting it @throws `too-many-streams`, `streams-full` */
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

  /** The response: the list, unless the client already has it, then the changes. */
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
