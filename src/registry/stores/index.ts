import { UsageError } from "../../core/errors.ts";
import type { Store, StoreOptions } from "./types.ts";

/** The store that a URL names: `memory:`, `sqlite:<path>` or `redis://…`. @throws UsageError, StoreUnavailable */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  const [, scheme, path] = /^([a-z]+):(.*)$/.exec(url) ?? [];
  if (scheme === "memory" && path === "") return (await import("./memory.ts")).openMemory(options);
  if (scheme === "sqlite" && path) return (await import("./sqlite.ts")).openSqlite(path, options);
  if (scheme === "redis" || scheme === "rediss") {
    return (await import("./redis.ts")).openRedis(url, options);
  }
  throw new UsageError(
    "--store must be memory:, sqlite:<path> or redis://host:port/db, such as sqlite:talk.db",
  );
}
