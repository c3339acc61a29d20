/** Registries and clients of another make. */
import { describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join as path } from "node:path";
import { join } from "talk/client";
import { createRegistry } from "talk/registry";
import { isRecord } from "../src/core/schemas.ts";
import { afterwards } from "./helpers/afterwards.ts";
import { root, start } from "./helpers/program.ts";

const OK = { status: "ok" };

/** A registry as another make writes it, which keeps what it is told and answers as the options say. */
function startOther({ refusal = 400, slash = true } = {}) {
  const users: Record<string, unknown> = {};
  const bodies: unknown[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const list = slash ? "/v1/users/" : "/v1/users";
      if (request.method === "GET" && pathname === list) {
        return Response.json(users, { headers: { "content-type": "text/plain" } });
      }
      if (request.method === "GET") return new Response("", { status: 404 });
      if (request.method === "DELETE") delete users[pathname.slice("/v1/users/".length)];
      if (request.method !== "POST") return Response.json(OK);
      const body: unknown = await request.json();
      bodies.push(body);
      if (!isRecord(body) || typeof body.name !== "string" || Object.keys(body).length !== 2) {
        return new Response("Illegal input: Field 'name' is required", { status: refusal });
      }
      if (body.name in users) return new Response("", { status: 409 });
      const address = isRecord(body.address) ? body.address : {};
      users[body.name] = { ...address, port: String(address.port) };
      return new Response("OK");
    },
  });
  afterwards(() => server.stop(true));
  return { url: server.url.href, users, bodies };
}

describe("a registry", () => {
  test.each([400, 404, 422, 500])(
    "that knows only `name`, and answers %d to `user`, gets the name at the second try",
    async (refusal) => {
      const { url, users, bodies } = startOther({ refusal });
      const alice = start("src/client/main.ts", ["--name", "alice", "--port", "0", "--registry", url]);
      await alice.sees(/^alice {2}http:.*\(you\)$/);
      expect(bodies).toMatchObject([{ user: "alice" }, { name: "alice" }]);
      alice.type(":exit");
      expect(await alice.exited).toBe(0);
      expect(users).toEqual({});
      expect(alice.lines.filter((line) => line.startsWith("error"))).toEqual([]);
    },
  );

  test("that knows only `name` says at the second try that a name is taken", async () => {
    const { url, users } = startOther();
    users.alice = { protocol: "UDP", host: "10.0.0.5", port: 3000 };
    expect(join({ name: "alice", port: 0, registry: url })).rejects.toMatchObject({ code: "name-taken" });
  });

  test.each([401, 403, 429])("that answers %d is not asked again", async (refusal) => {
    const { url, bodies } = startOther({ refusal });
    expect(join({ name: "alice", port: 0, registry: url })).rejects.toMatchObject({
      code: "registry-refused",
      status: refusal,
    });
    expect(bodies).toHaveLength(1);
  });

  test("without the list's trailing slash, and with ports as strings, is listed", async () => {
    const { url, users } = startOther({ slash: false });
    users.bob = { protocol: "UDP", host: "127.0.0.1", port: "3000" };
    const alice = start("src/client/main.ts", ["--name", "alice", "--port", "0", "--registry", url]);
    await alice.sees("bob  udp://127.0.0.1:3000");
    alice.type(":update");
    await alice.sees("bob  udp://127.0.0.1:3000");
  });
});

test.each([
  ["text", () => new Response("OK")],
  ["JSON", () => Response.json(OK)],
  ["nothing", () => new Response(null, { status: 204 })],
])("a client whose /v1/health answers with %s stays registered", async (_, health) => {
  const probed = Promise.withResolvers<void>();
  const client = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch() {
      probed.resolve();
      return health();
    },
  });
  afterwards(() => client.stop(true));
  const rounds = Promise.withResolvers<number>();
  const registry = await createRegistry({
    store: "memory:",
    checkInterval: 100,
    log: (event) => event.type === "round" && rounds.resolve(event.failed),
  });
  afterwards(() => registry.close());
  const url = await registry.listen({ port: 0 });
  const address = { protocol: "HTTP", host: "127.0.0.1", port: String(client.port) };
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ name: "kotlin", address });
  expect((await fetch(`${url}/v1/users`, { method: "POST", headers, body })).status).toBe(200);
  await probed.promise;
  expect(await rounds.promise).toBe(0);
  expect((await fetch(`${url}/v1/users/kotlin`)).status).toBe(200);
});

test("a client generated from /swagger/json holds a conversation, and its types fit", async () => {
  const registry = await createRegistry({ store: "memory:" });
  afterwards(() => registry.close());
  const url = await registry.listen({ port: 0 });
  const bob = await join({ name: "bob", port: 0, registry: url });
  afterwards(() => bob.close());
  mkdirSync(path(root, "dist"), { recursive: true });
  // In the repository, so that its packages are found.
  const folder = mkdtempSync(path(root, "dist/generated-"));
  afterwards(() => rmSync(folder, { recursive: true }));

  const run = (...command: string[]) =>
    Bun.spawn([process.execPath, "x", "--bun", ...command], { cwd: root, stdout: "pipe", stderr: "pipe" });
  const generator = run("openapi-typescript", `${url}/swagger/json`, "--output", `${folder}/api.ts`);
  expect([await generator.exited, await new Response(generator.stderr).text()]).toEqual([0, ""]);
  copyFileSync(`${root}/test/fixtures/conversation.ts`, `${folder}/conversation.ts`);
  await Bun.write(
    `${folder}/tsconfig.json`,
    JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"], exclude: [] }),
  );
  const types = run("tsc", "--project", folder);
  expect([await new Response(types.stdout).text(), await types.exited]).toEqual(["", 0]);

  const conversation = Bun.spawn([process.execPath, `${folder}/conversation.ts`, url], {
    env: process.env,
    stdout: "pipe",
    stderr: "inherit",
  });
  const next = async () => {
    for await (const event of bob) if (event.type === "message") return event;
    return undefined;
  };
  expect(await next()).toMatchObject({ user: "generated", text: "hello bob" });
  expect(await bob.send("generated", "hello generated")).toEqual({ type: "delivered" });
  expect((await new Response(conversation.stdout).text()).split("\n")).toEqual([
    "ok",
    "This name is taken; choose another, or move the user with PUT.",
    "bob generated",
    '{"user":"bob","text":"hello generated"}',
    "ok",
    "true",
    "ok",
    "There is no such user; GET /v1/users lists them all.",
    "",
  ]);
  expect(await conversation.exited).toBe(0);
});
