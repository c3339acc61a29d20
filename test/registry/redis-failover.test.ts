/** A registry whose Redis hands over to another, or takes connections only to close them. */
import { describe, expect, test } from "bun:test";
import type { Socket } from "bun";
import { afterwards } from "../helpers/afterwards.ts";
import { listed, startRegistry } from "../helpers/program.ts";
import { noRedis, type Redis, startRedis } from "../helpers/redis.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };

type Peer = { other: Socket | undefined; waiting: Uint8Array[] };

/** A TCP relay to a port that can be changed, for connections that come later; `undefined` closes them at once. */
function relay(port: number) {
  const state: { to: number | undefined; accepted: number[] } = { to: port, accepted: [] };
  const open = new Set<Socket<Peer>>();
  const listener = Bun.listen<Peer>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      async open(socket) {
        const peer: Peer = { other: undefined, waiting: [] };
        socket.data = peer;
        state.accepted.push(performance.now());
        if (state.to === undefined) return void socket.end();
        open.add(socket);
        peer.other = await Bun.connect({
          hostname: "127.0.0.1",
          port: state.to,
          socket: { data: (_, bytes) => void socket.write(bytes), close: () => void socket.end() },
        });
        for (const bytes of peer.waiting) peer.other.write(bytes);
      },
      data({ data: { other, waiting } }, bytes) {
        if (other) other.write(bytes);
        else waiting.push(Buffer.from(bytes));
      },
      close(socket) {
        open.delete(socket);
        socket.data.other?.end();
      },
    },
  });
  afterwards(() => listener.stop(true));
  return {
    url: `redis://127.0.0.1:${listener.port}/0`,
    state,
    /** Ends the connections that are there. */
    cut: () => [...open].map((socket) => socket.end()),
  };
}

async function redisWith(...options: string[]): Promise<Redis & { port: number }> {
  const redis = await startRedis(...options);
  afterwards(redis.stop);
  return { ...redis, port: Number(new URL(redis.url).port) };
}

/** A registry that checks nobody: nobody listens where its users are. */
const registryOn = (store: string) => startRegistry("--store", store, "--check-interval", "86400");

async function put({ url }: { url: string }, user: string): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(`${url}/v1/users/${user}`, { method: "PUT", headers, body: JSON.stringify(HERE) });
}

/** Puts a user until that is taken; resolves to the milliseconds it took. */
async function msUntilWritten(registry: { url: string }, user: string): Promise<number> {
  const since = performance.now();
  while ((await put(registry, user)).status !== 200) await new Promise(setImmediate);
  return performance.now() - since;
}

/** A primary and its replica, in step. */
async function pair() {
  const primary = await redisWith("--repl-diskless-sync-delay", "0");
  const replica = await redisWith("--replicaof", `127.0.0.1 ${primary.port}`);
  while (!String(await replica.tell("INFO", "replication")).includes("master_link_status:up"));
  return { primary, replica };
}

describe.skipIf(noRedis !== undefined)("a registry whose Redis", () => {
  test("becomes a replica of another writes to the new primary within 5 s, without being told", async () => {
    const { primary, replica } = await pair();
    const { url, state } = relay(primary.port);
    const registry = await registryOn(url);
    expect((await put(registry, "alice")).status).toBe(200);
    while (!(await replica.tell("HEXISTS", "talk:users", "alice")));

    state.to = replica.port;
    await replica.tell("REPLICAOF", "NO", "ONE");
    await primary.tell("REPLICAOF", "127.0.0.1", String(replica.port));
    expect(await msUntilWritten(registry, "bob")).toBeLessThan(5000);
    expect(await replica.tell("HEXISTS", "talk:users", "bob")).toBe(1);
    expect(await listed(registry)).toEqual({ alice: HERE, bob: HERE });
    await registry.sees(/trouble with the store: Redis at \S+ says "READONLY /);
  });

  test("becomes a replica leaves it even if nobody writes", async () => {
    const { primary, replica } = await pair();
    const { url, state } = relay(primary.port);
    const registry = await registryOn(url);
    state.to = replica.port;
    await replica.tell("REPLICAOF", "NO", "ONE");
    await primary.tell("REPLICAOF", "127.0.0.1", String(replica.port));
    const connections = state.accepted.length;
    while (state.accepted.length === connections) await Bun.sleep(20);
    while ((await fetch(`${registry.url}/v1/users`)).status !== 200) await Bun.sleep(20);
    await replica.tell("HSET", "talk:users", "carol", "1 HTTP 127.0.0.1 8080");
    await replica.tell("SET", "talk:version", "2");
    expect(await listed(registry)).toEqual({ carol: HERE });
  });

  test("stays a replica retries with growing pauses, and logs the trouble once", async () => {
    const { primary, replica } = await pair();
    const { url, state } = relay(primary.port);
    const registry = await registryOn(url);
    state.to = replica.port;
    await primary.tell("REPLICAOF", "127.0.0.1", String(replica.port));
    state.accepted.length = 0;
    const ended = performance.now() + 4000;
    while (performance.now() < ended) {
      const answer = await put(registry, "alice");
      expect(answer.status).toBe(503);
      expect(await answer.text()).not.toMatch(/script|[0-9a-f]{40}|READONLY/);
      await Bun.sleep(5);
    }
    expect(state.accepted.length).toBeLessThan(30);
    const troubles = registry.lines.filter((line) => line.includes("trouble"));
    expect(troubles.filter((line) => line.includes("READONLY"))).toHaveLength(1);
    expect(troubles.length).toBeLessThan(4);
    expect(troubles.join("\n")).not.toMatch(/user_script|[0-9a-f]{40}/);
  });

  test("accepts connections and closes them retries ever more rarely, and logs when the trouble is over", async () => {
    const primary = await redisWith();
    const { url, state, cut } = relay(primary.port);
    const registry = await registryOn(url);
    state.to = undefined;
    cut();
    state.accepted.length = 0;
    await registry.sees(/trouble with the store: .* closes? the connection|was lost/);
    const ended = performance.now() + 4000;
    while (performance.now() < ended) {
      expect((await put(registry, "alice")).status).toBe(503);
      await Bun.sleep(5);
    }
    // Up to three connections an attempt: one to use, two to learn what is wrong.
    expect(state.accepted.length).toBeLessThan(60);
    state.to = primary.port;
    expect(await msUntilWritten(registry, "alice")).toBeLessThan(5000);
    await registry.sees(/the store works again after \d+\.\d s$/);
    expect(registry.lines.filter((line) => line.includes("works again"))).toHaveLength(1);
  });

  test("is loading its data waits for it", async () => {
    // With `everysec`, Redis may answer a write before it is in the file.
    const durable = ["--appendonly", "yes", "--appendfsync", "always"];
    const redis = await redisWith(...durable, "--key-load-delay", "20000");
    const registry = await registryOn(redis.url);
    for (let i = 0; i < 50; i++) expect((await put(registry, `user-${i}`)).status).toBe(200);
    await redis.kill();
    const started = redis.start();
    await msUntilWritten(registry, "late");
    await started;
    expect(Object.keys(await listed(registry))).toHaveLength(51);
  });
});

if (noRedis) process.stderr.write(`skipped: a Redis that fails over, because ${noRedis}\n`);
