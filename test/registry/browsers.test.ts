/** Web pages, and the browsers that carry their requests. */
import { describe, expect, test } from "bun:test";
import { createApp } from "../../src/registry/http/app.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { chromium, openPage } from "../helpers/browser.ts";
import { listen, openTestStore } from "../helpers/registry.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };
const EVIL = "http://evil.example";

async function registryWithCarol(): Promise<string> {
  const store = await openTestStore("memory:");
  await store.put("carol", { protocol: "HTTP", host: "127.0.0.1", port: 8080 });
  return listen(createApp({ store }));
}

async function users(base: string): Promise<unknown> {
  return (await fetch(`${base}/v1/users/`)).json();
}

describe("a page of another origin", () => {
  test.each([
    "POST /v1/users",
    "PUT /v1/users/carol",
    "DELETE /v1/users/carol",
    "GET /v1/users",
    "GET /v1/users/carol",
    "GET /v1/health",
    "GET /swagger",
    "GET /swagger/json",
    "OPTIONS /v1/users",
    "GET /no/such/path",
    "POST /v1/health",
  ])("gets 403 for %s, without effect and without CORS", async (asked) => {
    const [method, path] = asked.split(" ");
    const base = await registryWithCarol();
    const body = method === "POST" ? { user: "bob", address: HERE } : { ...HERE, port: 1 };
    for (const origin of [EVIL, "null"]) {
      const answer = await fetch(`${base}${path}`, {
        method,
        headers: { origin, "content-type": "application/json" },
        ...(method !== "GET" && { body: JSON.stringify(body) }),
      });
      expect([answer.status, await answer.json()]).toEqual([
        403,
        { status: "error", message: expect.stringMatching(/^Cross-origin requests .*\.$/) },
      ]);
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    expect(await users(base)).toEqual({ carol: HERE });
  });

  test("gets 403 before its body is read, even if that is too long or not JSON", async () => {
    const base = await registryWithCarol();
    for (const body of ["x".repeat(100_000), "{"])
      expect(
        (await fetch(`${base}/v1/users`, { method: "POST", headers: { origin: EVIL }, body })).status,
      ).toBe(403);
  });

  test("gets 403 for a WebSocket", async () => {
    const base = await registryWithCarol();
    const headers = {
      origin: EVIL,
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    expect((await fetch(`${base}/v1/ws/message`, { headers })).status).toBe(403);
  });
});

test("a name that resolves to loopback (DNS rebinding) gets 403, without effect", async () => {
  const base = await registryWithCarol();
  const headers = { host: "evil.example:8088", origin: "http://evil.example:8088" };
  expect((await fetch(`${base}/v1/users/carol`, { method: "DELETE", headers })).status).toBe(403);
  expect((await fetch(`${base}/v1/users`, { headers: { host: "evil.example" } })).status).toBe(403);
  expect(await users(base)).toEqual({ carol: HERE });
});

test.each(["127.0.0.1", "localhost", "db", "[::1]"])(
  "a program that sends no Origin passes with Host: %s",
  async (host) => {
    const base = await registryWithCarol();
    const answer = await fetch(`${base}/v1/users/bob`, {
      method: "PUT",
      headers: { host, "content-type": "application/json" },
      body: JSON.stringify(HERE),
    });
    expect(answer.status).toBe(200);
  },
);

// Skipped where there is no Chromium: apt-get install chromium.
describe.skipIf(!chromium)("in a browser", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["127.0.0.1", "localhost"],
    ["::1", "[::1]"],
  ])("the page of a registry on %s, opened as %s, may change its users", async (hostname, seenAs) => {
    const app = createApp({ store: await openTestStore("memory:") });
    app.listen({ port: 0, hostname, reusePort: false });
    afterwards(() => app.stop(true));
    const base = `http://${seenAs}:${app.server?.port}`;
    const { view } = await openPage();
    await view.navigate(`${base}/swagger`);
    expect(await view.evaluate(putFromPage(base))).toBe(200);
    view.close();
  });

  test("a page of another origin changes nothing, by fetch, form or WebSocket", async () => {
    const base = await registryWithCarol();
    const elsewhere = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () =>
        new Response("<!doctype html><title>evil</title>", { headers: { "content-type": "text/html" } }),
    });
    afterwards(() => elsewhere.stop(true));
    const { view } = await openPage();
    await view.navigate(elsewhere.url.href);
    expect(await view.evaluate(putFromPage(base))).toBe("TypeError");
    const blind = `fetch("${base}/v1/users", { method: "POST", mode: "no-cors", body: '{"user":"bob"}' })
      .then((answer) => answer.type)`;
    expect(await view.evaluate(blind)).toBe("opaque");
    const opened = `new Promise((resolve) => {
      const socket = new WebSocket("${base.replace("http", "ws")}/v1/ws/message");
      socket.onopen = () => resolve("open");
      socket.onclose = () => resolve("closed");
    })`;
    expect(await view.evaluate(opened)).toBe("closed");
    expect(await users(base)).toEqual({ carol: HERE });
    view.close();
  });

  function putFromPage(base: string): string {
    return `fetch("${base}/v1/users/bob", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: ${JSON.stringify(JSON.stringify(HERE))},
    }).then((answer) => answer.status, (error) => error.name)`;
  }
});

if (!chromium) process.stderr.write("skipped: pages in a browser, because no Chromium is installed\n");
