import { join } from "node:path";
import type { Redis } from "../../../test/helpers/redis.ts";
import { ask, silentAddress } from "../shared/ask.ts";
import { progress } from "../shared/progress.ts";
import { startRegistry } from "../shared/registry.ts";
import { until } from "../shared/until.ts";

const CLIENT = join(import.meta.dir, "../../../src/client/main.ts");
const POLL_MS = 5000;
/** Concurrent requests, over all registries. */
const LANES = 12;
const MAX_ANSWER_MS = 1000;
const MAX_RECOVERY_MS = 5000;
const STOPPED_MS = 30_000;

export interface Outages {
  summary: [what: string, found: string][];
  faults: string[];
}

/** Kills Redis and restarts it empty, then suspends it for 30 s, under load and with two real clients. */
export async function outages(
  redis: Redis,
  replicas: number,
  scale: number,
  random: () => number,
): Promise<Outages> {
  const faults: string[] = [];
  const summary: [string, string][] = [];
  const registries = await Promise.all(Array.from({ length: replicas }, () => startRegistry(redis.url, [])));
  const urls = registries.map(({ url }) => url);
  const clients = ["alice", "bob"].map((name, i) => startClient(name, urls[i % urls.length] ?? ""));
  await until(() => everywhere((users) => users.includes("alice") && users.includes("bob")), 10_000);
  let loading = true;
  let slowest = 0;
  const statuses = new Map<number, number>();
  const lanes = Array.from({ length: LANES }, (_, i) => load(urls[i % urls.length] ?? "", `load-${i}`));

  const old = await Promise.all(urls.map((url) => ask(url, "GET", "/v1/users")));
  await redis.kill();
  progress(1, 4, "Redis killed");
  await Bun.sleep(3000);
  loading = false;
  await Promise.all(lanes.splice(0));
  await redis.start();
  const restarted = performance.now();
  progress(2, 4, "Redis started again, empty");
  const recovery = await until(() => everywhere(() => true), 2 * MAX_RECOVERY_MS);
  for (const [i, url] of urls.entries()) {
    const answer = await ask(url, "GET", "/v1/users", { etag: old[i]?.etag });
    const strangers = Object.keys(answer.json).filter((user) => user.startsWith("load"));
    if (answer.status !== 200 || strangers.length > 0) {
      faults.push(`${url} shows users of before the empty start (${answer.status}, ${strangers})`);
    }
  }
  await until(() => everywhere((users) => users.includes("alice") && users.includes("bob")), 3 * POLL_MS);
  const back = performance.now() - restarted;
  summary.push([
    "Redis started empty",
    `writing again in ${seconds(recovery)}, clients back in ${seconds(back)}`,
  ]);
  if (recovery > MAX_RECOVERY_MS) faults.push(`registries took ${seconds(recovery)} to recover`);
  // Intervals vary by ±20 %.
  if (back > 1.2 * POLL_MS + MAX_RECOVERY_MS) faults.push(`clients took ${seconds(back)} to come back`);

  loading = true;
  lanes.push(...Array.from({ length: LANES }, (_, i) => load(urls[i % urls.length] ?? "", `load-${i}`)));
  await redis.kill("SIGSTOP");
  progress(3, 4, "Redis stopped");
  await Bun.sleep(STOPPED_MS * Math.min(1, scale));
  await redis.kill("SIGCONT");
  const resumed = await until(() => everywhere(() => true), 2 * MAX_RECOVERY_MS);
  if (resumed > MAX_RECOVERY_MS) faults.push(`registries took ${seconds(resumed)} to go on`);
  loading = false;
  await Promise.all(lanes);
  progress(4, 4);
  const lists = await Promise.all(urls.map((url) => ask(url, "GET", "/v1/users")));
  if (new Set(lists.map(({ etag }) => etag)).size !== 1) faults.push("registries show different lists");

  summary.push(["Redis stopped", `writing again in ${seconds(resumed)}`]);
  summary.push([
    "requests meanwhile",
    `${[...statuses].map(([status, count]) => `${count} × ${status}`).join(", ")}, the slowest ${slowest.toFixed(0)} ms`,
  ]);
  if (slowest > MAX_ANSWER_MS) faults.push(`a request took ${slowest.toFixed(0)} ms`);
  for (const client of clients) client.kill();
  await Promise.all(clients.map((client) => client.exited));
  for (const registry of registries) await registry.end();
  return { summary, faults };

  /** Writes and reads its own user: acknowledged writes must be there, unless Redis lost them. */
  async function load(url: string, user: string): Promise<void> {
    while (loading) {
      const port = 1 + Math.floor(random() * 65_000);
      const written = await counted(url, "PUT", `/v1/users/${user}`, { body: silentAddress(port) });
      const read = await counted(url, "GET", `/v1/users/${user}`);
      if (written.status === 200 && read.status !== 503 && read.json.port !== port) {
        faults.push(`${user} was answered ${read.json.port} (${read.status}) after ${port}`);
      }
    }
  }

  async function counted(...call: Parameters<typeof ask>) {
    const answer = await ask(...call);
    slowest = Math.max(slowest, answer.ms);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    if (![200, 404, 503].includes(answer.status)) faults.push(`a request was answered ${answer.status}`);
    return answer;
  }

  async function everywhere(holds: (users: string[]) => boolean): Promise<boolean> {
    const answers = await Promise.all(
      urls.flatMap((url) => [ask(url, "GET", "/v1/users"), ask(url, "DELETE", "/v1/users/nobody")]),
    );
    const lists = answers.filter((_, i) => i % 2 === 0);
    return (
      answers.every(({ status }) => status === 200) && lists.every(({ json }) => holds(Object.keys(json)))
    );
  }
}

function startClient(name: string, registry: string) {
  const flags = [
    "--name",
    name,
    "--registry",
    registry,
    "--port",
    "0",
    "--poll-interval",
    String(POLL_MS / 1000),
  ];
  const child = Bun.spawn([process.execPath, CLIENT, ...flags], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "inherit",
  });
  process.on("exit", () => child.kill("SIGKILL"));
  return child;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
