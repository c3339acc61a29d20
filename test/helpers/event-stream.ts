/** A reader of a registry's stream of changes, which keeps a list by it. */
import { expect } from "bun:test";
import { createCondition } from "../../src/client/condition.ts";
import { readEventStream, type ServerSentEvent } from "../../src/client/registry/event-stream.ts";
import { afterwards } from "./afterwards.ts";

export interface Reader {
  /** Every event so far. */
  events: ServerSentEvent[];
  /** The list, as the events make it. */
  users(): Record<string, unknown>;
  /** The id of the last event. */
  lastId(): string | undefined;
  /** The raw text so far. */
  text(): string;
  /** The next event; each is given once. */
  next(): Promise<ServerSentEvent>;
  /** Resolves once the list is as given. */
  shows(users: unknown): Promise<void>;
  /** Resolves once something holds, looked at whenever bytes have come. */
  until(holds: () => boolean): Promise<void>;
  headers: Headers;
  close(): void;
  /** Resolves once the stream is over, however it ended. */
  ended: Promise<void>;
}

/** Opens a stream of changes. @param from goes on where that reader is, or with a state of that name */
export async function listenTo(url: string, from?: Reader | string): Promise<Reader> {
  const lastId = typeof from === "string" ? from : from?.lastId();
  // Copied now: while the stream opens, that reader may go on beyond its last id.
  const users = new Map(typeof from === "string" ? [] : Object.entries(from?.users() ?? {}));
  const stop = new AbortController();
  const response = await fetch(`${url}/v1/events`, {
    signal: stop.signal,
    headers: lastId === undefined ? {} : { "last-event-id": lastId },
  });
  expect(response.status).toBe(200);
  const events: ServerSentEvent[] = [];
  const changed = createCondition();
  let taken = 0;
  let text = "";
  let isOver = false;
  let fault: unknown;

  async function* chunks() {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      yield chunk;
    }
  }

  async function read(): Promise<void> {
    try {
      for await (const batch of readEventStream(chunks(), { limit: 1e8, onRetry() {} })) {
        for (const event of batch) {
          applyEvent(users, event);
          events.push(event);
        }
        changed.notify();
      }
    } catch (error) {
      // Cut off, closed by the test, or not true.
      fault = error;
    }
    isOver = true;
    changed.notify();
  }

  const ended = read();
  afterwards(() => stop.abort());
  async function until(holds: () => boolean): Promise<void> {
    await changed.until(() => holds() || isOver);
    if (!holds()) throw new Error(`the stream ended after ${events.length} events: ${fault}`);
  }
  return {
    events,
    users: () => Object.fromEntries(users),
    lastId: () => events.at(-1)?.id,
    text: () => text,
    async next() {
      await until(() => events.length > taken);
      const event = events[taken++];
      if (!event) throw new Error("no event");
      return event;
    },
    shows: (wanted) => until(() => Bun.deepEquals(Object.fromEntries(users), wanted)),
    until,
    headers: response.headers,
    close: () => stop.abort(),
    ended,
  };
}

/** Does to a list what an event says; throws where the event cannot be true of it. */
export function applyEvent(users: Map<string, unknown>, { type, data }: ServerSentEvent): void {
  const content = JSON.parse(data);
  if (type === "users") {
    users.clear();
    for (const [user, address] of Object.entries(content)) users.set(user, address);
    return;
  }
  const { user, address } = content;
  const known = users.get(user);
  const isPossible =
    type === "joined"
      ? known === undefined
      : type === "moved"
        ? known !== undefined && !Bun.deepEquals(known, address)
        : type === "left" && Bun.deepEquals(known, address);
  if (!isPossible) throw new Error(`${type} ${data} cannot be, after ${JSON.stringify(known)}`);
  if (type === "left") users.delete(user);
  else users.set(user, address);
}
