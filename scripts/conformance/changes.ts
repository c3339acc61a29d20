/** A registry's event stream, if it has one. */
import { readEventStream } from "../../src/client/registry/event-stream.ts";
import { REGISTRY_PATHS } from "../../src/core/protocol.ts";
import { request } from "../../src/core/request.ts";
import { isRecord } from "../../src/core/schemas.ts";
import { Mismatch, NotChecked } from "./row.ts";

/** How long the next event may take, in milliseconds; Talk's own registry sends it within half a second. */
const EVENT_MS = 3000;

/** Most characters of an event to read, and to show. */
const MAX_EVENT = 16 * 1024 * 1024;
const SHOWN = 200;

export interface Changes {
  /** Waits for an event of a type with the right data, skipping others. @throws Mismatch */
  expect(type: string, isRight: (data: Record<string, unknown>) => boolean): Promise<void>;
  close(): void;
}

export async function openChanges(url: string): Promise<Changes> {
  const path = url.replace(/\/+$/, "") + REGISTRY_PATHS.events;
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), EVENT_MS);
  const response = await request(path, { signal: stop.signal }).catch(() => undefined);
  clearTimeout(late);
  if (!response?.ok || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
    stop.abort();
    throw new NotChecked("the registry has no stream of changes at /v1/events");
  }
  const batches = readEventStream(response.body ?? new Blob().stream(), { limit: MAX_EVENT, onRetry() {} });
  let last = "nothing";

  async function find(type: string, isRight: (data: Record<string, unknown>) => boolean): Promise<boolean> {
    for (;;) {
      const { value = [], done } = await batches.next();
      for (const event of value) {
        last = `${event.type} ${event.data}`.slice(0, SHOWN);
        if (event.type !== type) continue;
        const data: unknown = JSON.parse(event.data);
        if (isRecord(data) && isRight(data)) return true;
      }
      if (done) return false;
    }
  }

  return {
    async expect(type, isRight) {
      const timer = setTimeout(() => stop.abort(), EVENT_MS);
      const isFound = await find(type, isRight).catch(() => false);
      clearTimeout(timer);
      if (!isFound) throw new Mismatch(`an event ${type}`, `GET ${path}`, last);
    },
    close: () => stop.abort(),
  };
}
