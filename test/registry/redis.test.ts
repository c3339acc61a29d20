/** The registry on a Redis that goes away and comes back. */
import { describe, expect, test } from "bun:test";
import { createApp } from "../../src/registry/http/app.ts";
import { openStore } from "../../src/registry/stores/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { put } from "../helpers/chat.ts";
import { listed, startRegistry as startProgram } from "../helpers/program.ts";
import { noRedis, type Redis, startRedis } from "../helpers/redis.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };

async function startRegistryOn(redis: Redis) {
  afterwards(redis.stop);
  const store = await openStore(redis.url);
  afterwards(store.close);
  const app = createApp({ store });
  return {
    async status(method: string, path: string, body?: unknown): Promise<number> {
      const headers = { "content-type": "application/json" };
      const request = new Request(`http://localhost${path}`, { method, headers, body: JSON.stringify(body) });
      return (await app.handle(request)).status;
    },
    list: async () => (await app.handle(new Request("http://localhost/v1/users"))).json(),
    /** Resolves once the registry answers 200 again. */
    async isBack(): Promise<void> {
      while ((await this.status("GET", "/v1/users")) !== 200) await new Promise(setImmediate);
    },
  };
}

describe.skipIf(noRedis !== undefined)("a registry on Redis", () => {
  test("answers 503 while Redis is down, and continues when it is back, empty", async () => {
    const redis = await startRedis();
    const registry = await startRegistryOn(redis);
    await registry.status("PUT", "/v1/users/alice", HERE);
    redis.kill("SIGKILL");
    while ((await registry.status("GET", "/v1/users/alice")) === 200) await new Promise(setImmediate);
    expect(await registry.status("PUT", "/v1/users/bob", HERE)).toBe(503);
    expect(await registry.status("GET", "/v1/users")).toBe(503);
    expect(await registry.status("GET", "/v1/health")).toBe(200);
    await redis.restart();
    await registry.isBack();
    expect(await registry.list()).toEqual({});
    expect(await registry.status("PUT", "/v1/users/bob", HERE)).toBe(200);
    expect(await registry.list()).toEqual({ bob: HERE });
  });

  test("leaves no request hanging while Redis hangs, and continues when it does", async () => {
    const redis = await startRedis();
    const registry = await startRegistryOn(redis);
    redis.kill("SIGSTOP");
    const requests = Array.from({ length: 20 }, (_, i) =>
      registry.status("PUT", `/v1/users/user-${i}`, HERE),
    );
    expect(new Set(await Promise.all(requests))).toEqual(new Set([503]));
    expect(await registry.status("GET", "/v1/users")).toBe(503);
    redis.kill("SIGCONT");
    await registry.isBack();
    expect(await registry.status("POST", "/v1/users", { user: "carol", address: HERE })).toBe(200);
  });

  test("does not show a stale list when Redis comes back with older data", async () => {
    const redis = await startRedis();
    const registry = await startRegistryOn(redis);
    await registry.status("PUT", "/v1/users/alice", HERE);
    expect(await registry.list()).toEqual({ alice: HERE });
    await redis.restart();
    await registry.isBack();
    await registry.status("PUT", "/v1/users/bob", HERE);
    expect(await registry.list()).toEqual({ bob: HERE });
  });

  test("leaves out and logs entries that no registry has written", async () => {
    const redis = await startRedis();
    afterwards(redis.stop);
    const registry = await startProgram("--store", redis.url, "--check-interval", "0.1");
    await put(registry, "alice", { ...HERE, host: "localhost" });
    const bad = {
      ...{ evil: "garbage", empty: "", fax: "1 FAX 127.0.0.1 8080", hex: "1 HTTP 0x7f000001 8080" },
      ...{ "no name": "1 HTTP 127.0.0.1 8080", id: "x HTTP 127.0.0.1 8080", port: "1 HTTP 127.0.0.1 0" },
    };
    await redis.tell("HSET", "talk:users", ...Object.entries(bad).flat());
    // As another registry does after each change.
    await put(registry, "bob", HERE);
    const seen = await Promise.all(Object.keys(bad).map(() => registry.sees(/ignoring .* in the store/)));
    expect(seen.map((line) => /ignoring (.*) in/.exec(line)?.[1] ?? "").sort()).toEqual(
      Object.keys(bad).sort(),
    );
    expect(Object.keys(await listed(registry)).filter((user) => user !== "alice" && user !== "bob")).toEqual(
      [],
    );
    expect((await fetch(`${registry.url}/v1/users/evil`)).status).toBe(404);
    expect((await fetch(`${registry.url}/metrics`)).status).toBe(200);
    await put(registry, "evil", HERE);
    expect((await fetch(`${registry.url}/v1/users/evil`)).status).toBe(200);
  });

  test("reloads its scripts when Redis has forgotten them", async () => {
    const redis = await startRedis();
    const registry = await startRegistryOn(redis);
    await registry.status("PUT", "/v1/users/alice", HERE);
    await redis.forgetScripts();
    expect(await registry.status("PUT", "/v1/users/bob", HERE)).toBe(200);
  });
});

test.skipIf(noRedis !== undefined)(
  "a missing Redis is reported in one clear line, without the password",
  async () => {
    const redis = await startRedis();
    await redis.stop();
    const url = redis.url.replace("//", "//:geheim@");
    const failure = await openStore(url).then(
      () => "opened",
      (error) => String(error.message),
    );
    expect(failure).toStartWith("cannot open the store: no Redis answers at 127.0.0.1:");
    expect(failure).not.toContain("geheim");
  },
);

test.each(["redis://", "redis://host/not-a-number", "redis:host"])("%p names no Redis", async (url) => {
  expect(openStore(url)).rejects.toThrow("--store must look like redis://");
});
