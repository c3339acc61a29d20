/** Names that belong to those who show their secret. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createApp } from "../../src/registry/http/app.ts";
import { openMemory } from "../../src/registry/stores/memory.ts";
import { watched } from "../../src/registry/stores/watched-store.ts";
import { listed, startRegistry } from "../helpers/program.ts";
import { type Ask, listen, temporaryFolder, ways } from "../helpers/registry.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };
const THERE = { protocol: "UDP", host: "10.0.0.5", port: 3000 };
const SECRET = "alice-secret-0123456789-abcdefghijklmnopqrstu";

function by(secret: string | undefined): Record<string, string> {
  const json = { "content-type": "application/json" };
  return secret === undefined ? json : { ...json, authorization: `Bearer ${secret}` };
}

describe.each(Object.entries(ways))("owners, through %s", (_, connect) => {
  async function withAlice(): Promise<Ask> {
    const ask = await connect();
    const answer = await ask("POST", "/v1/users", { user: "alice", address: HERE }, by(SECRET));
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ok" }]);
    return ask;
  }

  async function users(ask: Ask): Promise<unknown> {
    return JSON.parse(await (await ask("GET", "/v1/users/")).text());
  }

  test.each(["PUT", "DELETE"])(
    "%s without the secret is 401, with another 403, and nothing changes",
    async (method) => {
      const ask = await withAlice();
      const body = method === "PUT" ? THERE : undefined;
      const without = await ask(method, "/v1/users/alice", body, by(undefined));
      expect([without.status, without.headers.get("www-authenticate"), await without.json()]).toEqual([
        401,
        "Bearer",
        {
          status: "error",
          message: "This name has an owner; send its secret as Authorization: Bearer <secret>.",
        },
      ]);
      const another = await ask(method, "/v1/users/alice", body, by("mallory"));
      expect([another.status, another.headers.get("www-authenticate"), await another.json()]).toEqual([
        403,
        null,
        { status: "error", message: "This name has another owner; choose another name." },
      ]);
      expect(await users(ask)).toEqual({ alice: HERE });
    },
  );

  test("the owner moves and removes the user, and then the name is free", async () => {
    const ask = await withAlice();
    expect((await ask("PUT", "/v1/users/alice", THERE, by(SECRET))).status).toBe(200);
    expect(await users(ask)).toEqual({ alice: THERE });
    expect((await ask("DELETE", "/v1/users/alice", undefined, by(SECRET))).status).toBe(200);
    expect((await ask("POST", "/v1/users", { user: "alice", address: HERE }, by("bob"))).status).toBe(200);
  });

  test("the owner's own POST gets 409 and says so; anybody else's does not", async () => {
    const ask = await withAlice();
    for (const [secret, owner] of [[SECRET, "you"], ["mallory"], [undefined]]) {
      const answer = await ask("POST", "/v1/users", { user: "alice", address: THERE }, by(secret));
      expect([answer.status, await answer.json()]).toEqual([
        409,
        { status: "error", message: expect.any(String), ...(owner && { owner }) },
      ]);
    }
  });

  test("PUT with a secret also makes its sender the owner of a new name", async () => {
    const ask = await connect();
    expect((await ask("PUT", "/v1/users/alice", HERE, by(SECRET))).status).toBe(200);
    expect((await ask("DELETE", "/v1/users/alice")).status).toBe(401);
  });

  test("anybody may change a user registered without a secret, with or without one", async () => {
    const ask = await connect();
    await ask("POST", "/v1/users", { user: "alice", address: HERE });
    expect((await ask("PUT", "/v1/users/alice", THERE, by("bob"))).status).toBe(200);
    expect((await ask("PUT", "/v1/users/alice", HERE)).status).toBe(200);
    expect((await ask("DELETE", "/v1/users/alice", undefined, by("carol"))).status).toBe(200);
    expect(await users(ask)).toEqual({});
  });

  test("everybody sees an owner's address, and no list shows owners", async () => {
    const ask = await withAlice();
    expect(await (await ask("GET", "/v1/users/alice")).json()).toEqual(HERE);
    expect((await ask("GET", "/v1/users/alice", undefined, by("x y"))).status).toBe(200);
    expect(await users(ask)).toEqual({ alice: HERE });
  });

  test.each([
    "Bearer",
    "Bearer ",
    "Bearer a b",
    "Bearer =",
    "Bearer ä",
    "Bearer a,b",
    `Bearer ${"x".repeat(1025)}`,
  ])(
    "Authorization: %.20s is refused as no secret, so that nobody believes a name to be safe",
    async (authorization) => {
      const ask = await withAlice();
      const headers = { "content-type": "application/json", authorization };
      for (const answer of [
        await ask("POST", "/v1/users", { user: "bob", address: HERE }, headers),
        await ask("PUT", "/v1/users/bob", HERE, headers),
        await ask("DELETE", "/v1/users/alice", undefined, headers),
      ])
        expect([answer.status, await answer.json()]).toEqual([
          400,
          { status: "error", message: expect.stringMatching(/^A secret must be/) },
        ]);
      expect(await users(ask)).toEqual({ alice: HERE });
    },
  );

  test.each(["Basic Ym9iOmJvYg==", "Digest x", "", "Bearerx"])(
    "Authorization: %s is treated as no claim",
    async (authorization) => {
      const ask = await withAlice();
      const headers = { "content-type": "application/json", authorization };
      expect((await ask("POST", "/v1/users", { user: "bob", address: HERE }, headers)).status).toBe(200);
      expect((await ask("DELETE", "/v1/users/alice", undefined, headers)).status).toBe(401);
      expect((await ask("DELETE", "/v1/users/bob")).status).toBe(200);
    },
  );

  test.each(["bearer", "BEARER", "Bearer  "])("the scheme may be spelled %s", async (scheme) => {
    const ask = await withAlice();
    const headers = { authorization: `${scheme} ${SECRET}` };
    expect((await ask("DELETE", "/v1/users/alice", undefined, headers)).status).toBe(200);
  });
});

test("after a failed check, a name stays reserved for its owner", async () => {
  const store = openMemory();
  const base = listen(createApp({ store: watched(store) }));
  const post = (secret?: string) =>
    fetch(`${base}/v1/users`, {
      method: "POST",
      headers: by(secret),
      body: JSON.stringify({ user: "alice", address: HERE }),
    });
  await post(SECRET);
  for (const { user, id } of await store.registrations()) await store.expire(user, id);
  const refused = await post("mallory");
  expect([refused.status, await refused.json()]).toEqual([
    409,
    { status: "error", message: "This name is reserved for its owner; choose another." },
  ]);
  const put = await fetch(`${base}/v1/users/alice`, {
    method: "PUT",
    headers: by(undefined),
    body: JSON.stringify(HERE),
  });
  expect(put.status).toBe(401);
  expect((await post(SECRET)).status).toBe(200);
});

test("a full registry answers 503 with Retry-After to new users, and still serves the others", async () => {
  const base = listen(createApp({ store: watched(openMemory({ maxUsers: 1 })) }));
  const put = (user: string, address: object) =>
    fetch(`${base}/v1/users/${user}`, {
      method: "PUT",
      headers: by(undefined),
      body: JSON.stringify(address),
    });
  expect((await put("alice", HERE)).status).toBe(200);
  const body = JSON.stringify({ user: "bob", address: HERE });
  const post = await fetch(`${base}/v1/users`, { method: "POST", headers: by(undefined), body });
  for (const answer of [await put("bob", HERE), post])
    expect([answer.status, answer.headers.get("retry-after"), await answer.json()]).toEqual([
      503,
      "180",
      { status: "error", message: "The registry is full; try again when users have left." },
    ]);
  expect((await put("alice", THERE)).status).toBe(200);
  expect(await (await fetch(`${base}/v1/users`)).json()).toEqual({ alice: THERE });
});

test("with --open nobody owns a name", async () => {
  const store = `sqlite:${join(temporaryFolder(), "users.db")}`;
  const closed = await startRegistry("--store", store);
  const post = (registry: { url: string }, user: string) =>
    fetch(`${registry.url}/v1/users`, {
      method: "POST",
      headers: by(SECRET),
      body: JSON.stringify({ user, address: HERE }),
    });
  await post(closed, "alice");
  closed.kill("SIGTERM");
  await closed.exited;
  const open = await startRegistry("--store", store, "--open");
  await post(open, "bob");
  for (const user of ["alice", "bob"])
    expect((await fetch(`${open.url}/v1/users/${user}`, { method: "DELETE" })).status).toBe(200);
  expect(await listed(open)).toEqual({});
});

test("neither the log nor the store holds a secret", async () => {
  const path = join(temporaryFolder(), "users.db");
  const registry = await startRegistry("--store", `sqlite:${path}`);
  const ask = (method: string, where: string, secret: string, body?: object) =>
    fetch(`${registry.url}/v1/users${where}`, {
      method,
      headers: by(secret),
      ...(body && { body: JSON.stringify(body) }),
    });
  await ask("POST", "", SECRET, { user: "alice", address: HERE });
  await ask("PUT", "/alice", `${SECRET}x`, HERE);
  await ask("PUT", "/alice", `${SECRET} x`, HERE);
  await ask("PUT", "/alice", SECRET, HERE);
  await registry.sees(/ updated alice/);
  registry.kill("SIGTERM");
  await registry.exited;
  expect(registry.lines.join("\n")).not.toContain("secret");
  for (const suffix of ["", "-wal"]) {
    const file = Bun.file(path + suffix);
    if (await file.exists()) expect(readFileSync(path + suffix).includes("secret-0123")).toBe(false);
  }
});
