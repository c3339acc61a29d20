/** The registry as its operator meets it: a process. */

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { urlsOfWildcard } from "../../src/core/own-addresses.ts";
import { listed, start, startRegistry } from "../helpers/program.ts";
import { openTestStore, temporaryFolder } from "../helpers/registry.ts";

const main = "src/registry/main.ts";
const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };

function put(registry: { url: string }, user: string): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(`${registry.url}/v1/users/${user}`, { method: "PUT", headers, body: JSON.stringify(HERE) });
}

test("prints its URL, that of its docs, and on loopback how to let others in", async () => {
  const registry = await startRegistry();
  expect(await registry.sees(/--host 0\.0\.0\.0/)).toBe(
    "only this machine can reach it; --host 0.0.0.0 lets others in",
  );
  const [line] = registry.lines;
  expect(line).toBe(`registry at ${registry.url}, API docs at ${registry.url}/swagger`);
  expect((await fetch(`${registry.url}/swagger`)).status).toBe(200);
});

test("logs the file that holds its users, except with --quiet", async () => {
  const path = join(temporaryFolder(), "users.db");
  const registry = await startRegistry("--store", `sqlite:${path}`);
  await registry.sees(new RegExp(`Z keeping users in ${path}$`));
  registry.kill("SIGTERM");
  await registry.exited;
  const quiet = await startRegistry("--store", `sqlite:${path}`, "--quiet");
  quiet.kill("SIGTERM");
  await quiet.exited;
  expect(quiet.lines.join("\n")).not.toContain(path);
});

test("on a wildcard prints the URLs that others can use and the loopback URL, and no hint about letting others in", async () => {
  const registry = await startRegistry("--host", "0.0.0.0");
  const { port } = new URL(registry.url);
  const urls = urlsOfWildcard("0.0.0.0", Number(port));
  const said = () => registry.lines.map((line) => /http:[^,\s]+/.exec(line)?.[0]);
  while (said().length < urls.length) await registry.sees(/http/);
  expect(said()).toEqual(urls);
  expect(said().at(-1)).toBe(`http://127.0.0.1:${port}`);
  expect(registry.lines.join("\n")).not.toMatch(/0\.0\.0\.0|--host/);
  for (const url of urls) expect((await fetch(`${url}/v1/health`)).status).toBe(200);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "exits 0 on %s, and has its users again after a restart",
  async (signal) => {
    const store = `sqlite:${join(temporaryFolder(), "users.db")}`;
    const first = await startRegistry("--store", store);
    await put(first, "bob");
    first.kill(signal);
    expect(await first.exited).toBe(0);
    expect(await listed(await startRegistry("--store", store))).toEqual({ bob: HERE });
  },
);

test("acknowledged writes survive kill -9 under load", async () => {
  const path = join(temporaryFolder(), "users.db");
  const answered = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const registry = await startRegistry("--store", `sqlite:${path}`);
    const load = Array.from({ length: 20 }, async (_, lane) => {
      for (let i = 0; ; i++) {
        const user = `user-${round}-${lane}-${i}`;
        const answer = await put(registry, user).catch(() => undefined);
        if (!answer) return;
        answered.add(user);
        if (answered.size === 300 * (round + 1)) registry.kill("SIGKILL");
      }
    });
    await Promise.all(load);
    await registry.exited;
  }
  const users = Object.keys(await listed(await startRegistry("--store", `sqlite:${path}`)));
  expect([...answered].filter((user) => !users.includes(user))).toEqual([]);
  expect(answered.size).toBeGreaterThanOrEqual(900);
  const check = new Database(path).query("PRAGMA integrity_check").get();
  expect(check).toEqual({ integrity_check: "ok" });
});

test("a failed write is answered with 503, and the registry keeps running", async () => {
  const path = join(temporaryFolder(), "users.db");
  const registry = await startRegistry("--store", `sqlite:${path}`);
  await put(registry, "bob");
  const other = new Database(path);
  other.run("BEGIN EXCLUSIVE");
  const answer = await put(registry, "carol");
  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({
    status: "error",
    message: expect.stringContaining("The store cannot be written now"),
  });
  other.run("ROLLBACK");
  expect((await put(registry, "carol")).status).toBe(200);
  expect(Object.keys(await listed(registry))).toEqual(["bob", "carol"]);
});

test("a user beyond --max-users is refused", async () => {
  const registry = await startRegistry("--max-users", "1");
  expect((await put(registry, "bob")).status).toBe(200);
  expect((await put(registry, "carol")).status).toBe(503);
  expect((await put(registry, "bob")).status).toBe(200);
  expect(Object.keys(await listed(registry))).toEqual(["bob"]);
});

test("--release frees a name while a registry runs on the store", async () => {
  const url = `sqlite:${join(temporaryFolder(), "users.db")}`;
  const registry = await startRegistry("--store", url);
  const store = await openTestStore(url);
  await store.create("bob", { ...HERE, protocol: "HTTP" }, "a secret's hash");
  const release = start(main, ["--store", url, "--release", "bob"]);
  expect(await release.exited).toBe(0);
  expect(release.lines).toEqual(["anybody may register bob now"]);
  expect((await put(registry, "bob")).status).toBe(200);
  expect(await store.put("bob", { ...HERE, protocol: "HTTP" })).toBe("done");
  const again = start(main, ["--store", url, "--release", "bob"]);
  expect(await again.exited).toBe(0);
  expect(again.lines).toEqual(["bob has no owner and is not reserved"]);
});

describe("one line on stderr, and an exit code, for", () => {
  test("a port in use", async () => {
    const { url } = await startRegistry();
    const { port } = new URL(url);
    const second = start(main, ["--port", port, "--store", "memory:"]);
    expect(await second.exited).toBe(1);
    expect(second.lines).toEqual([
      `error: port ${port} is in use; choose another with --port (0 picks a free one)`,
    ]);
  });

  test("a file that is not a database", async () => {
    const path = join(temporaryFolder(), "notes.txt");
    await Bun.write(path, "hello ".repeat(1000));
    const registry = start(main, ["--port", "0", "--store", `sqlite:${path}`]);
    expect(await registry.exited).toBe(1);
    expect(registry.lines).toEqual([
      `error: cannot open the store ${path}: file is not a database; check the file, its folder and the disk.`,
    ]);
  });

  test("a missing folder", async () => {
    const path = join(temporaryFolder(), "missing", "users.db");
    const registry = start(main, ["--port", "0", "--store", `sqlite:${path}`]);
    expect(await registry.exited).toBe(1);
    expect(registry.lines).toEqual([expect.stringContaining(`error: cannot open the store ${path}`)]);
  });

  test("--release on a missing file, which is not created", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "mistyped.db");
    const release = start(main, ["--store", `sqlite:${path}`, "--release", "bob"]);
    expect(await release.exited).toBe(1);
    expect(release.lines).toEqual([
      `error: cannot open the store ${path}: unable to open database file; check the file, its folder and the disk.`,
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    [["--prot", "1"], "error: unknown option --prot; did you mean --port?"],
    [["--port"], "error: --port needs a value; see --help"],
    [["--durability", "full"], "error: --durability must be process or power"],
    [["--max-users", "0"], "error: --max-users must be a whole number from 1 to 10000000"],
    [
      ["--release", "bob", "--store", "memory:"],
      "error: --release needs the --store of a registry; no other process can open memory:",
    ],
    [["--port", "x"], "error: --port must be a whole number from 0 to 65535"],
    [
      ["--store", "redis"],
      "error: --store must be memory:, sqlite:<path> or redis://host:port/db, such as sqlite:talk.db",
    ],
    [["here"], 'error: unexpected "here"; options start with --, see --help'],
  ])("%j", async (args, error) => {
    const registry = start(main, args);
    expect(await registry.exited).toBe(2);
    expect(registry.lines).toEqual([error]);
  });

  test.each(["192.0.2.1", "nobody.invalid"])(
    "a host that is not an address of this machine: %s",
    async (host) => {
      const registry = start(main, ["--port", "0", "--store", "memory:", "--host", host]);
      expect(await registry.exited).toBe(1);
      expect(registry.lines).toEqual([
        expect.stringContaining(`error: ${host} is not an address of this machine; choose one with --host: `),
      ]);
    },
  );

  test.each(["127.1", "a b", "[::1]"])("an invalid host: %s", async (host) => {
    const registry = start(main, ["--port", "0", "--store", "memory:", "--host", host]);
    expect(await registry.exited).toBe(2);
    expect(registry.lines).toEqual([
      "error: --host must be an IPv4 address, an IPv6 address without brackets or zone, or a host name",
    ]);
  });
});
