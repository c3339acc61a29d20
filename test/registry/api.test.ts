import { describe, expect, test } from "bun:test";
import { createApp } from "../../src/registry/http/app.ts";
import { type Ask, listen, openTestStore, temporaryFolder, ways } from "../helpers/registry.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };
const THERE = { protocol: "UDP", host: "10.0.0.5", port: 3000 };
const OK = { status: "ok" };

describe.each(Object.entries(ways))("the registry through %s", (_, connect) => {
  async function list(ask: Ask): Promise<[string, unknown][]> {
    return Object.entries(JSON.parse(await (await ask("GET", "/v1/users/")).text()));
  }

  test("POST registers a user once", async () => {
    const ask = await connect();
    const first = await ask("POST", "/v1/users", { user: "bob", address: HERE });
    expect([first.status, await first.json()]).toEqual([200, OK]);
    const second = await ask("POST", "/v1/users", { user: "bob", address: THERE });
    expect(second.status).toBe(409);
    expect(await list(ask)).toEqual([["bob", HERE]]);
  });

  test.each(["/v1/users", "/v1/users/"])("%s takes POST and GET", async (path) => {
    const ask = await connect();
    expect((await ask("POST", path, { user: "bob", address: HERE })).status).toBe(200);
    const answer = await ask("GET", path);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(await answer.text()).toBe('{"bob":{"protocol":"HTTP","host":"127.0.0.1","port":8080}}');
  });

  test("PUT creates a user and moves it", async () => {
    const ask = await connect();
    const created = await ask("PUT", "/v1/users/bob", HERE);
    expect([created.status, await created.json()]).toEqual([200, OK]);
    expect((await ask("PUT", "/v1/users/bob", THERE)).status).toBe(200);
    expect(await list(ask)).toEqual([["bob", THERE]]);
  });

  test("DELETE removes a user", async () => {
    const ask = await connect();
    await ask("PUT", "/v1/users/bob", HERE);
    const answer = await ask("DELETE", "/v1/users/bob");
    expect([answer.status, await answer.json()]).toEqual([200, OK]);
    expect(await list(ask)).toEqual([]);
  });

  test.each(["nobody", "a%2Fb", "%00", "a%20b", "%F0%9F%98%80", "%zz", "x".repeat(65)])(
    "DELETE of %s, which is no user, is answered with 200",
    async (name) => {
      const ask = await connect();
      await ask("PUT", "/v1/users/bob", HERE);
      const answer = await ask("DELETE", `/v1/users/${name}`);
      expect([answer.status, await answer.json()]).toEqual([200, OK]);
      expect(await list(ask)).toEqual([["bob", HERE]]);
    },
  );

  test("GET of one user returns its address, or 404", async () => {
    const ask = await connect();
    await ask("PUT", "/v1/users/bob", THERE);
    expect(await (await ask("GET", "/v1/users/bob")).json()).toEqual(THERE);
    expect((await ask("GET", "/v1/users/alice")).status).toBe(404);
  });

  test("GET /v1/health is 200", async () => {
    const ask = await connect();
    const answer = await ask("GET", "/v1/health");
    expect([answer.status, await answer.json()]).toEqual([200, OK]);
  });

  test.each(["__proto__", "constructor", "then", "10", "toString", "...", "a.b_c-D"])(
    "a user may be called %s",
    async (name) => {
      const ask = await connect();
      expect((await ask("POST", "/v1/users", { user: name, address: HERE })).status).toBe(200);
      expect((await ask("POST", "/v1/users", { user: name, address: HERE })).status).toBe(409);
      expect((await ask("PUT", `/v1/users/${name}`, THERE)).status).toBe(200);
      expect(await (await ask("GET", `/v1/users/${name}`)).json()).toEqual(THERE);
      expect(await list(ask)).toEqual([[name, THERE]]);
      expect((await ask("DELETE", `/v1/users/${name}`)).status).toBe(200);
      expect(await list(ask)).toEqual([]);
    },
  );

  test("of 1,000 concurrent POSTs of one name, one gets 200 and the others 409", async () => {
    const ask = await connect();
    const statuses = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        const answer = await ask("POST", "/v1/users", { user: "bob", address: { ...HERE, port: i + 1 } });
        await answer.text();
        return answer.status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(999);
  });

  test.each([
    [{ protocol: "HTTP", host: "h", port: "8080" }, 8080],
    [{ protocol: "HTTP", host: "h" }, 8080],
    [{ protocol: "WEBSOCKET", host: "h" }, 8082],
    [{ protocol: "UDP", host: "h" }, 3000],
  ])("the port of %j is stored as %d", async (address, port) => {
    const ask = await connect();
    expect((await ask("POST", "/v1/users", { user: "bob", address })).status).toBe(200);
    expect((await ask("PUT", "/v1/users/carol", address)).status).toBe(200);
    const stored = { ...address, port };
    expect(await list(ask)).toEqual([
      ["bob", stored],
      ["carol", stored],
    ]);
  });

  test("`name` is accepted for `user`, and unknown keys are ignored", async () => {
    const ask = await connect();
    const body = { name: "bob", extra: [1], address: { ...HERE, more: true } };
    expect((await ask("POST", "/v1/users", body)).status).toBe(200);
    expect(await list(ask)).toEqual([["bob", HERE]]);
  });

  test.each(["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::0"])(
    "the host %s is replaced by the address the request came from",
    async (host) => {
      const ask = await connect();
      expect((await ask("PUT", "/v1/users/bob", { ...HERE, host })).status).toBe(200);
      expect(await list(ask)).toEqual([["bob", { ...HERE, host: "127.0.0.1" }]]);
    },
  );

  test.each(["::1", "fe80::1", "::ffff:10.0.0.5", "db", "my_host.local", "xn--mnchen-3ya.example", "a-1.b2"])(
    "the host %s is stored unchanged",
    async (host) => {
      const ask = await connect();
      expect((await ask("PUT", "/v1/users/bob", { ...HERE, host })).status).toBe(200);
      expect(await list(ask)).toEqual([["bob", { ...HERE, host }]]);
    },
  );

  test("an unchanged list is answered with 304, and a changed one is sent again", async () => {
    const ask = await connect();
    await ask("PUT", "/v1/users/bob", HERE);
    const etag = (await ask("GET", "/v1/users")).headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[^"]+"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const answer = await ask("GET", "/v1/users/", undefined, { "if-none-match": known });
      expect([answer.status, answer.headers.get("etag"), await answer.text()]).toEqual([304, etag, ""]);
    }
    await ask("PUT", "/v1/users/bob", THERE);
    const changed = await ask("GET", "/v1/users", undefined, { "if-none-match": etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(etag);
  });

  test.each([
    ["PATCH", "/v1/users", "GET, POST"],
    ["PUT", "/v1/users", "GET, POST"],
    ["DELETE", "/v1/users/", "GET, POST"],
    ["OPTIONS", "/v1/users", "GET, POST"],
    ["POST", "/v1/users/bob", "GET, PUT, DELETE"],
    ["POST", "/v1/health", "GET"],
    ["DELETE", "/swagger", "GET"],
  ])("%s %s gets 405 and Allow: %s", async (method, path, allow) => {
    const ask = await connect();
    const answer = await ask(method, path);
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
    expect(await answer.json()).toEqual({ status: "error", message: `This path takes ${allow}.` });
  });

  test("HEAD answers like GET, without a body", async () => {
    const ask = await connect();
    await ask("PUT", "/v1/users/bob", HERE);
    const answer = await ask("HEAD", "/v1/users/");
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(answer.headers.get("etag")).toMatch(/^"/);
  });
});

test("a short Host header such as db works", async () => {
  const app = createApp({ store: await openTestStore("memory:") });
  expect((await app.handle(new Request("http://db/v1/users"))).status).toBe(200);
  const answer = await fetch(`${listen(app)}/v1/users/`, { headers: { host: "db" } });
  expect(await answer.json()).toEqual({});
});

test("1,000 POSTs of one name to two registries on one SQLite file give one 200", async () => {
  const url = `sqlite:${temporaryFolder()}/users.db`;
  const bases = [
    listen(createApp({ store: await openTestStore(url) })),
    listen(createApp({ store: await openTestStore(url) })),
  ];
  const statuses = await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      const answer = await fetch(`${bases[i % 2]}/v1/users`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user: "bob", address: HERE }),
      });
      await answer.text();
      return answer.status;
    }),
  );
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 409)).toHaveLength(999);
});
