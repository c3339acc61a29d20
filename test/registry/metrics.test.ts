/** GET /metrics, as Prometheus would read it. */
import { describe, expect, test } from "bun:test";
import { StoreUnavailable } from "../../src/core/errors.ts";
import { createApp } from "../../src/registry/http/app.ts";
import { createRegistry } from "../../src/registry/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { listenTo } from "../helpers/event-stream.ts";
import { freePort } from "../helpers/port.ts";
import { openTestStore, temporaryFolder } from "../helpers/registry.ts";

const BOB = { protocol: "UDP", host: "127.0.0.1", port: 9 };

async function busyRegistry(): Promise<string> {
  const registry = await createRegistry({ store: "memory:" });
  afterwards(() => registry.close());
  const url = await registry.listen({ port: 0 });
  const send = (method: string, path: string, body?: object) =>
    fetch(`${url}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
  await send("PUT", "/v1/users/bob", BOB);
  await send("PUT", "/v1/users/bob", BOB);
  await send("PUT", "/v1/users/a%20b", BOB);
  await send("POST", "/v1/users", { user: "bob", address: BOB });
  await send("PUT", "/v1/users/carol", { ...BOB, protocol: "HTTP" });
  await send("DELETE", "/v1/users/carol");
  await send("GET", "/v1/users/");
  await send("HEAD", "/v1/users");
  await send("GET", "/v1/users/bob");
  await send("GET", "/v1/users/dave");
  await send("GET", "/v1/health?x=/v1/users");
  await send("GET", "/no/such/path");
  await send("PATCH", "/v1/users");
  await (await listenTo(url)).next();
  return url;
}

async function metricsOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

/** The samples by name and labels. */
function samplesIn(text: string): Map<string, number> {
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

describe("the metrics", () => {
  test("count users by protocol, requests by operation and status, removals and streams", async () => {
    const samples = samplesIn(await metricsOf(await busyRegistry()));
    const requests = [...samples].filter(([name]) => name.startsWith("talk_http_requests_total"));
    expect(Object.fromEntries(requests)).toEqual({
      'talk_http_requests_total{operation="putUser",status="200"}': 3,
      'talk_http_requests_total{operation="putUser",status="400"}': 1,
      'talk_http_requests_total{operation="createUser",status="409"}': 1,
      'talk_http_requests_total{operation="removeUser",status="200"}': 1,
      'talk_http_requests_total{operation="listUsers",status="200"}': 2,
      'talk_http_requests_total{operation="readUser",status="200"}': 1,
      'talk_http_requests_total{operation="readUser",status="404"}': 1,
      'talk_http_requests_total{operation="health",status="200"}': 1,
      'talk_http_requests_total{operation="watchUsers",status="200"}': 1,
      'talk_http_requests_total{operation="other",status="404"}': 1,
      'talk_http_requests_total{operation="other",status="405"}': 1,
    });
    expect(samples.get('talk_users{protocol="UDP"}')).toBe(1);
    expect(samples.get('talk_users{protocol="HTTP"}')).toBe(0);
    expect(samples.get('talk_removals_total{reason="left"}')).toBe(1);
    expect(samples.get("talk_streams")).toBe(1);
  });

  test("count a user named reach like any other", async () => {
    const registry = await createRegistry({ store: "memory:" });
    afterwards(() => registry.close());
    const url = await registry.listen({ port: 0 });
    const user = `${url}/v1/users/reach`;
    const body = JSON.stringify({ protocol: "HTTP", host: "127.0.0.1", port: freePort() });
    await fetch(user, { method: "PUT", headers: { "content-type": "application/json" }, body });
    await fetch(user);
    await fetch(`${user}/reach`, { method: "POST" });
    await fetch(`${user}/reach`);
    await fetch(user, { method: "DELETE" });
    const samples = samplesIn(await metricsOf(url));
    const counted = [...samples.keys()].filter((key) => key.startsWith("talk_http_requests_total"));
    expect(counted.map((key) => /operation="(\w+)"/.exec(key)?.[1]).sort()).toEqual([
      "other",
      "putUser",
      "reachUser",
      "readUser",
      "removeUser",
    ]);
  });

  test("count cross-origin requests, of whatever operation, as other", async () => {
    const registry = await createRegistry({ store: "memory:" });
    afterwards(() => registry.close());
    const url = await registry.listen({ port: 0 });
    const foreign = await fetch(`${url}/v1/users`, { headers: { origin: "http://evil.example" } });
    expect(foreign.status).toBe(403);
    const samples = samplesIn(await metricsOf(url));
    expect(samples.get('talk_http_requests_total{operation="other",status="403"}')).toBe(1);
    expect(samples.get('talk_http_request_duration_seconds_count{operation="other"}')).toBe(1);
  });

  test("count response times, in buckets that add up", async () => {
    const samples = samplesIn(await metricsOf(await busyRegistry()));
    const name = "talk_http_request_duration_seconds";
    const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket{operation="putUser"`));
    const counts = buckets.map(([, count]) => count);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(buckets.at(-1)).toEqual([`${name}_bucket{operation="putUser",le="+Inf"}`, 4]);
    expect(samples.get(`${name}_count{operation="putUser"}`)).toBe(4);
    expect(samples.get(`${name}_sum{operation="putUser"}`)).toBeGreaterThan(0);
  });

  test("give the versions, the start time, CPU time and memory", async () => {
    const samples = samplesIn(await metricsOf(await busyRegistry()));
    expect(
      [...samples.keys()].some((key) => /^talk_build_info\{version="[\d.]+",bun="[\d.]+"\}$/.test(key)),
    ).toBe(true);
    const started = samples.get("process_start_time_seconds") ?? 0;
    expect(Math.abs(started - performance.timeOrigin / 1000)).toBeLessThan(1);
    expect(samples.get("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(samples.get("process_cpu_seconds_total")).toBeGreaterThan(0);
  });

  test("count checks by protocol and finding, and the removals by reason", async () => {
    const registry = await createRegistry({ store: "memory:", checkInterval: 100, checkWindow: 100 });
    afterwards(() => registry.close());
    const url = await registry.listen({ port: 0 });
    const reader = await listenTo(url);
    await fetch(`${url}/v1/users/gone`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ protocol: "HTTP", host: "127.0.0.1", port: freePort() }),
    });
    await reader.until(() => reader.events.some(({ type }) => type === "left"));
    const samples = samplesIn(await metricsOf(url));
    expect(samples.get('talk_checks_total{protocol="HTTP",finding="refused"}')).toBe(1);
    expect(samples.get('talk_removals_total{reason="refused"}')).toBe(1);
  });

  test("count failed writes to the store", async () => {
    const store = await openTestStore("memory:");
    const put = () => {
      throw new StoreUnavailable("The store is not responding.");
    };
    const app = createApp({ store: { ...store, put } });
    const refused = await app.handle(
      new Request("http://localhost/v1/users/bob", {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(BOB),
      }),
    );
    expect(refused.status).toBe(503);
    const text = await (await app.handle(new Request("http://localhost/metrics"))).text();
    expect(samplesIn(text).get("talk_store_write_failures_total")).toBe(1);
  });

  test("contain no user names", async () => {
    expect(await metricsOf(await busyRegistry())).not.toMatch(/bob|carol|dave/);
  });

  test("are served in the text format 0.0.4", async () => {
    const url = await busyRegistry();
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  });
});

const READ = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.read()))
print(json.dumps({f.name: [f.type, f.documentation, [s.name for s in f.samples]] for f in families}))
`;

/** A Python that can read metrics, if there is one or can be. */
async function python(): Promise<{ env: Record<string, string | undefined> } | string> {
  if (!Bun.which("python3")) return "there is no python3";
  const folder = temporaryFolder();
  const env = { ...process.env, PYTHONPATH: folder };
  const run = async (...args: string[]) =>
    (await Bun.spawn(["python3", ...args], { env, stdout: "ignore", stderr: "ignore" }).exited) === 0;
  if (await run("-c", "import prometheus_client")) return { env };
  const isThere = await run(
    "-m",
    "pip",
    "install",
    "--quiet",
    "--target",
    folder,
    "prometheus-client==0.26.0",
  );
  return isThere ? { env } : "there is no prometheus-client for Python: pip install prometheus-client";
}

test("Prometheus' own Python client reads the metrics, each with its type and help", async () => {
  const found = await python();
  if (typeof found === "string") {
    process.stderr.write(`skipped: metrics read by prometheus-client, because ${found}\n`);
    return;
  }
  const text = await metricsOf(await busyRegistry());
  const child = Bun.spawn(["python3", "-c", READ], {
    env: found.env,
    stdin: Buffer.from(text),
    stdout: "pipe",
  });
  const families: Record<string, [type: string, help: string, samples: string[]]> = JSON.parse(
    await new Response(child.stdout).text(),
  );
  const types = Object.fromEntries(Object.entries(families).map(([name, [type]]) => [name, type]));
  // The parser knows counters without their `_total`.
  expect(types).toEqual({
    talk_users: "gauge",
    talk_streams: "gauge",
    talk_http_requests: "counter",
    talk_http_request_duration_seconds: "histogram",
    talk_checks: "counter",
    talk_removals: "counter",
    talk_store_write_failures: "counter",
    talk_build_info: "gauge",
    process_cpu_seconds: "counter",
    process_resident_memory_bytes: "gauge",
    process_start_time_seconds: "gauge",
  });
  for (const [name, [, help]] of Object.entries(families))
    expect([name, help]).toEqual([name, expect.stringMatching(/\.$/)]);
});
