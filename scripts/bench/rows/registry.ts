/** How many requests a registry answers per second. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../test/helpers/port.ts";
import { fill } from "../fill.ts";
import { type Load, load } from "../load.ts";
import { type Started, start } from "../processes.ts";
import { startBare, startOnNode } from "../rivals.ts";
import { NotMeasured, type Row, type Side, type Target } from "../row.ts";
import { need, startLoggingRegistry, startRegistry } from "../talk.ts";

const bare = (ratio: number): Target[] => [{ rival: "bare", ratio }];

export const registryRows: Row[] = [
  list("list-100", 100, "list", [...bare(0.92), { rival: "fastify", ratio: 1.5 }]),
  list("list-10000", 10_000, "list", bare(0.95)),
  list("unchanged-100", 100, "unchanged", bare(0.92)),
  list("unchanged-10000", 10_000, "unchanged", bare(0.92)),
  row("put", "PUT a user, memory:", [...bare(0.82), { rival: "fastify", ratio: 1.3 }], async () => [
    underLoad("talk", await startRegistry("--store", "memory:"), { kind: "put" }),
    underLoad("bare", await startBare("bare-registry"), { kind: "put" }),
    underLoad("fastify", await startOnNode("fastify-registry"), { kind: "put" }),
  ]),
  row("put-logged", "PUT a user, memory:, each logged", [], async () => [
    underLoad("talk", await startLoggingRegistry("--store", "memory:"), { kind: "put" }),
    underLoad("bare", await startBare("bare-registry"), { kind: "put" }),
  ]),
  row("put-sqlite", "PUT a user, sqlite:, against a Map", bare(0.72), async () => {
    const folder = mkdtempSync(join(tmpdir(), "talk-bench-"));
    const registry = await startRegistry("--store", `sqlite:${folder}/users.db`);
    return [
      underLoad("talk", registry, { kind: "put" }, () => rmSync(folder, { recursive: true })),
      underLoad("bare", await startBare("bare-registry"), { kind: "put" }),
    ];
  }),
  row("post", "POST new users, memory:", bare(0.82), async () => [
    underLoad("talk", await startRegistry("--store", "memory:"), { kind: "post" }),
    underLoad("bare", await startBare("bare-registry"), { kind: "post" }),
    underLoad("fastify", await startOnNode("fastify-registry"), { kind: "post" }),
  ]),
  row("put-redis", "PUT a user, redis:, against a pipelined HSET", bare(0.92), async () => {
    await need("registry", "redis:");
    const { url, redis } = await startRedis();
    return [
      underLoad("talk", await startRegistry("--store", `${url}/0`), { kind: "put" }, redis.stop),
      underLoad("bare", await startBare("bare-redis", `${url}/1`), { kind: "put" }),
    ];
  }),
];

function row(name: string, title: string, targets: Target[], open: Row["open"]): Row {
  return { name, title, unit: "answers/s", better: "more", targets, open };
}

function list(name: string, users: number, kind: Load["kind"], targets: Target[]): Row {
  const what = kind === "list" ? "" : ", known already (304)";
  const count = users.toLocaleString("en");
  return row(name, `GET the list of ${count} users${what}`, targets, async () => {
    const sides: [string, Started][] = [
      ["talk", await startRegistry("--store", "memory:")],
      ["bare", await startBare("bare-registry")],
    ];
    if (targets.some(({ rival }) => rival === "fastify"))
      sides.push(["fastify", await startOnNode("fastify-registry")]);
    for (const [, { ready }] of sides) await fill(ready, users);
    return sides.map(([side, process]) => underLoad(side, process, { kind }));
  });
}

/** A registry measured by its responses per second. */
export function underLoad(
  name: string,
  { pid, ready: url, stop }: Started,
  job: Pick<Load, "kind" | "users" | "core">,
  cleanUp: () => unknown = () => {},
): Side {
  return {
    name,
    pid,
    sample: (seconds) => load({ ...job, url, seconds }),
    async close() {
      await stop();
      await cleanUp();
    },
  };
}

async function startRedis(): Promise<{ url: string; redis: Started }> {
  const server = Bun.which("redis-server");
  if (!server) throw new NotMeasured("redis-server is not installed");
  const port = freePort();
  const options = ["--port", String(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"];
  const redis = await start([server, ...options], /Ready to accept connections/);
  return { url: `redis://127.0.0.1:${port}`, redis };
}
