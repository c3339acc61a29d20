/** Talk as another program imports it. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join as path } from "node:path";
import { join, type Me, type TalkEvent } from "talk/client";
import { createRegistry, type Registry } from "talk/registry";
import { readLines } from "../src/client/read-lines.ts";
import { afterwards } from "./helpers/afterwards.ts";
import { readBlocks } from "./helpers/documents.ts";
import { root, start, startRegistry } from "./helpers/program.ts";

async function openRegistry(open = false): Promise<{ registry: Registry; url: string }> {
  const registry = await createRegistry({ store: "memory:", open });
  afterwards(() => registry.close());
  return { registry, url: await registry.listen({ port: 0 }) };
}

async function joined(options: Parameters<typeof join>[0]): Promise<Me> {
  const me = await join({ port: 0, ...options });
  afterwards(() => me.close());
  return me;
}

/** The next event of a type. */
async function next<T extends TalkEvent["type"]>(me: Me, type: T) {
  for await (const event of me) if (event.type === type) return event;
  throw new Error(`closed without ${type}`);
}

describe("a program that joined", () => {
  test.each(["HTTP", "WEBSOCKET", "UDP"] as const)(
    "receives messages over %s, in order",
    async (protocol) => {
      const { url } = await openRegistry();
      const alice = await joined({ name: "alice", registry: url });
      const bob = await joined({ name: "bob", registry: url, protocol });
      const texts = Array.from({ length: 50 }, (_, i) => `message ${i}`);
      const reports = await Promise.all(texts.map((text) => alice.send("bob", text)));
      expect(new Set(reports.map(({ type }) => type))).toEqual(
        new Set([protocol === "UDP" ? "unknown" : "delivered"]),
      );
      for (const text of texts) {
        const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(await next(bob, "message")).toEqual({ type: "message", user: "alice", text, at });
      }
    },
  );

  test("first gets its own name and address, and the users", async () => {
    const { url } = await openRegistry();
    const alice = await joined({ name: "alice", registry: url });
    const events: TalkEvent[] = [];
    for await (const event of alice) if (events.push(event) === 2) break;
    const { address } = alice;
    expect(events).toEqual([
      { type: "welcome", user: "alice", address },
      { type: "users", users: { alice: address } },
    ]);
  });

  test("gets events when users join, move and leave, and when the registry goes down and is back", async () => {
    const { registry, url } = await openRegistry(true);
    const alice = await joined({ name: "alice", registry: url, pollInterval: 20 });
    const bob = await joined({ name: "bob", registry: url });
    expect(await next(alice, "joined")).toEqual({ type: "joined", user: "bob", address: bob.address });
    const elsewhere = { protocol: "UDP", host: "10.0.0.5", port: 3000 };
    const request = new Request(`${url}/v1/users/bob`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(elsewhere),
    });
    expect((await registry.fetch(request)).status).toBe(200);
    expect(await next(alice, "moved")).toEqual({ type: "moved", user: "bob", address: elsewhere });
    await registry.fetch(new Request(`${url}/v1/users/bob`, { method: "DELETE" }));
    expect(await next(alice, "left")).toEqual({ type: "left", user: "bob", address: elsewhere });
    await registry.close();
    expect(await next(alice, "registry")).toEqual({ type: "registry", up: false });
    const again = await createRegistry({ store: "memory:" });
    afterwards(() => again.close());
    await again.listen({ port: Number(new URL(url).port) });
    expect(await next(alice, "registry")).toEqual({ type: "registry", up: true });
  });

  test("writes to a user who joined after its last list, and keeps the order", async () => {
    const { url } = await openRegistry();
    const alice = await joined({ name: "alice", registry: url });
    const bob = await joined({ name: "bob", registry: url });
    for (const text of ["one", "two", "three"]) void alice.send("bob", text);
    for (const text of ["one", "two", "three"]) expect(await next(bob, "message")).toMatchObject({ text });
  });

  test("learns why a text did not arrive, and nothing is thrown", async () => {
    const { registry, url } = await openRegistry();
    const alice = await joined({ name: "alice", registry: url });
    const failed = (reason: string) => ({ type: "failed" as const, reason });
    expect(await alice.send("nobody", "hello")).toEqual(failed("the registry knows no such user"));
    expect(await alice.send("alice", "x".repeat(64_000))).toEqual(
      failed("The message is too large; send at most 64000 bytes."),
    );
    await registry.close();
    expect(await alice.send("nobody", "hello")).toEqual(failed(`no registry at ${url} (connection refused)`));
    expect(await alice.send("alice", "still here")).toEqual({ type: "delivered" });
  });

  test("is no longer listed once it has closed, and its loops end", async () => {
    const { url } = await openRegistry();
    const bob = await joined({ name: "bob", registry: url });
    const alice = await joined({ name: "alice", registry: url });
    const events = Array.fromAsync(alice);
    await alice.close();
    expect((await events).map(({ type }) => type)).toEqual(["welcome", "users"]);
    expect([...(await bob.users()).keys()]).toEqual(["bob"]);
    expect(await bob.send("alice", "hello")).toMatchObject({ type: "failed" });
    expect(await alice.send("bob", "hello")).toEqual({ type: "failed", reason: "you have left" });
  });

  test.each([
    [{ name: "a b" }, /^"user" must be/],
    [{ name: "alice", host: "a b" }, /^"address.host" must be/],
    [{ name: "alice", port: 65536 }, /^"address.port" must be/],
    [{ name: "alice", registry: "here" }, /^The registry must be a URL/],
  ])("%j is refused with a sentence", async (options, sentence) => {
    expect(join(options)).rejects.toThrow(sentence);
  });

  test("cannot take a name that is taken", async () => {
    const { url } = await openRegistry();
    await joined({ name: "alice", registry: url });
    expect(join({ name: "alice", registry: url, port: 0 })).rejects.toMatchObject({ code: "name-taken" });
  });
});

describe("a registry in a program", () => {
  test("reports that its port is in use, and still closes", async () => {
    const { url } = await openRegistry();
    const second = await createRegistry({ store: "memory:" });
    expect(second.listen({ port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: "cannot-listen",
    });
    await second.close();
  });

  test("checks its users", async () => {
    const removed = Promise.withResolvers<string>();
    const registry = await createRegistry({
      store: "memory:",
      checkInterval: 100,
      log: (event) => event.type === "removed" && removed.resolve(event.user),
    });
    afterwards(() => registry.close());
    const url = await registry.listen({ port: 0 });
    await fetch(`${url}/v1/users/gone`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ protocol: "HTTP", host: "127.0.0.1", port: 1 }),
    });
    expect(await removed.promise).toBe("gone");
  });
});

describe("an example in the docs", async () => {
  const blocks = await readBlocks();
  const examples = blocks.filter(({ language }) => language === "ts").map(({ code }) => code);

  test("exists for each of the three modules", () => {
    for (const part of ["talk/core", "talk/registry", "talk/client"]) {
      expect(examples.join("\n")).toContain(` from "${part}";`);
    }
  });

  test("type-checks in a project of its own", async () => {
    mkdirSync(path(root, "dist"), { recursive: true });
    // In the repository, so that its packages are found.
    const folder = mkdtempSync(path(root, "dist/examples-"));
    afterwards(() => rmSync(folder, { recursive: true }));
    for (const [i, code] of examples.entries()) await Bun.write(`${folder}/${i}.ts`, code);
    const config = { extends: "../../tsconfig.json", include: ["*.ts"], exclude: [] };
    await Bun.write(`${folder}/tsconfig.json`, JSON.stringify(config));
    const types = Bun.spawn([process.execPath, "x", "--bun", "tsc", "--project", folder], {
      cwd: root,
      stdout: "pipe",
    });
    expect([await new Response(types.stdout).text(), await types.exited]).toEqual(["", 0]);
  });

  test.each(examples)("prints what its comments say, and exits by itself: %s", async (code) => {
    const program = Bun.spawn([process.execPath, "-e", code], {
      cwd: root,
      env: process.env,
      stdout: "pipe",
      stderr: "inherit",
    });
    const printed = await Array.fromAsync(readLines(program.stdout));
    expect(await program.exited).toBe(0);
    expect(printed).toEqual(
      [...code.matchAll(/console\.log\(.*; \/\/ (.*)$/gm)].map(([, said = ""]) => said),
    );
  });
});

test("the standalone echo bot prints its name, answers, and unregisters on SIGINT", async () => {
  const registry = await startRegistry();
  const bot = start("scripts/echo-bot.ts", [registry.url]);
  await bot.sees("echo-http sends your messages back; Ctrl-C stops it");
  const alice = await joined({ name: "alice", registry: registry.url });
  await alice.send("echo-http", "hello");
  expect(await next(alice, "message")).toMatchObject({ user: "echo-http", text: "hello" });
  bot.kill("SIGINT");
  expect(await bot.exited).toBe(0);
  expect([...(await alice.users()).keys()]).toEqual(["alice"]);
});

test("the echo bot reports a missing registry in one line", async () => {
  const bot = start("scripts/echo-bot.ts", ["http://127.0.0.1:1"]);
  expect(await bot.exited).toBe(1);
  expect(bot.lines).toEqual(["error: no registry at http://127.0.0.1:1 (connection refused)"]);
});
