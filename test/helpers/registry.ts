/** A registry in this process, reached through `app.handle` or a socket. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../src/registry/http/app.ts";
import { openStore } from "../../src/registry/stores/index.ts";
import type { StoreOptions } from "../../src/registry/stores/types.ts";
import type { WatchedStore } from "../../src/registry/stores/watched-store.ts";
import { afterwards } from "./afterwards.ts";
import { emptyRedis, noRedis } from "./redis.ts";

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "talk-test-"));
  afterwards(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Every kind of store that can be tested here. */
export const storeKinds = ["memory:", "sqlite:", ...(noRedis ? [] : ["redis:"])];
if (noRedis) process.stderr.write(`skipped: the store on Redis, because ${noRedis}\n`);

/** An empty store of a kind. */
export async function openTestStore(kind: string, options: StoreOptions = {}): Promise<WatchedStore> {
  const store = await openStore(await freshStore(kind), options);
  afterwards(() => store.close());
  return store;
}

/** The URL of an empty store of a kind. */
export async function freshStore(kind: string): Promise<string> {
  if (kind === "redis:") return (await emptyRedis()).url;
  return kind === "sqlite:" ? `sqlite:${join(temporaryFolder(), "users.db")}` : kind;
}

/** Sends one request; a body that is not a string is sent as JSON. */
export type Ask = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Response>;

/** Every way to a registry that the API tests take. */
export const ways: Record<string, () => Promise<Ask>> = {
  "app.handle, memory": async () => handled(createApp({ store: await openTestStore("memory:") })),
  "app.handle, sqlite": async () => handled(createApp({ store: await openTestStore("sqlite:") })),
  ...(!noRedis && {
    "app.handle, redis": async () => handled(createApp({ store: await openTestStore("redis:") })),
  }),
  "a socket, memory": async () => listening(createApp({ store: await openTestStore("memory:") })),
};

type App = ReturnType<typeof createApp>;

function handled(app: App): Ask {
  return (...call) => Promise.resolve(app.handle(request("http://localhost", ...call)));
}

function listening(app: App): Ask {
  const base = listen(app);
  return (...call) => fetch(request(base, ...call));
}

/** Starts an app on a free port and returns its base URL. */
export function listen(app: App): string {
  app.listen({ port: 0, hostname: "127.0.0.1", reusePort: false });
  afterwards(() => app.stop(true));
  return `http://127.0.0.1:${app.server?.port}`;
}

function request(
  base: string,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): Request {
  if (body === undefined) return new Request(base + path, { method, headers });
  return new Request(base + path, {
    method,
    headers: headers ?? { "content-type": "application/json" },
    body: typeof body === "string" || body instanceof ReadableStream ? body : JSON.stringify(body),
  });
}
