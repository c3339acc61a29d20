import { UsageError } from "../../core/errors.ts";
import type { StoreOptions } from "./types.ts";
import { type WatchedStore, watched } from "./watched-store.ts";

/** How often a watched store is polled for changes by other registries, in milliseconds. */
const LOOK_MS = 100;

/** The store that a URL names: `memory:`, `sqlite:<path>` or `redis://…`. @throws UsageError, StoreUnavailable */
export async function openStore(url: string, options: StoreOptions = {}): Promise<WatchedStore> {
  const [, scheme, path] = /^([a-z]+):(.*)$/.exec(url) ?? [];
  if (scheme === "memory" && path === "") {
    return watched((await import("./memory.ts")).openMemory(options));
  }
  if (scheme === "sqlite" && path) {
    return watched((await import("./sqlite.ts")).openSqlite(path, options), LOOK_MS);
  }
  if (scheme === "redis" || scheme === "rediss") {
    return watched(await (await import("./redis.ts")).openRedis(url, options), LOOK_MS);
  }
  throw new UsageError(
    "--store must be memory:, sqlite:<path> or redis://host:port/db, such as sqlite:talk.db",
  );
}
