/** Whose a name is, as clients and plain programs meet it. */
import { expect, test } from "bun:test";
import { afterwards } from "../helpers/afterwards.ts";
import { listed, start, startClient, startRegistry } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

const HOST = "127.0.0.1";
const protocols = ["HTTP", "WEBSOCKET", "UDP"];
const MALLORY = { protocol: "UDP", host: "10.6.6.6", port: 666 };

function startAlice(url: string, protocol = "HTTP", env: Record<string, string> = {}) {
  const args = ["--name", "alice", "--port", "0", "--protocol", protocol, "--registry", url];
  return start("src/client/main.ts", args, env);
}

/** What a plain program would send. */
function plain(url: string, method: string, body?: object): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(`${url}/v1/users/alice`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

test("a client's name is its own: who has not its key moves and removes it not", async () => {
  const registry = await startRegistry();
  await startClient("alice", registry);
  const before = await listed(registry);
  expect((await plain(registry.url, "PUT", MALLORY)).status).toBe(401);
  expect((await plain(registry.url, "DELETE")).status).toBe(401);
  expect(await listed(registry)).toEqual(before);
});

test.each(protocols)(
  "after a crash on %s one gets one's name back at once, at another port",
  async (protocol) => {
    const registry = await startRegistry();
    const first = await startClient("alice", registry, "--protocol", protocol);
    const before = await listed(registry);
    first.kill("SIGKILL");
    await first.exited;
    const second = startAlice(registry.url, protocol);
    await second.sees(/\(you\)$/);
    expect(await listed(registry)).not.toEqual(before);
    second.type(":exit");
    expect(await second.exited).toBe(0);
    expect(await listed(registry)).toEqual({});
  },
);

test.each(protocols)("a second client of one user takes no live name on %s", async (protocol) => {
  const registry = await startRegistry();
  const first = await startClient("alice", registry, "--protocol", protocol);
  const before = await listed(registry);
  const second = startAlice(registry.url, protocol);
  expect(await second.exited).toBe(1);
  expect(second.lines).toEqual(["error: the name alice is taken; choose another with --name"]);
  expect(await listed(registry)).toEqual(before);
  first.type(":user alice", "still here");
  await first.sees("alice: still here");
});

test("a name left by a crash is nobody else's", async () => {
  const registry = await startRegistry();
  const first = await startClient("alice", registry);
  const before = await listed(registry);
  first.kill("SIGKILL");
  await first.exited;
  const mallory = startAlice(registry.url, "HTTP", { XDG_STATE_HOME: temporaryFolder() });
  expect(await mallory.exited).toBe(1);
  expect(mallory.lines).toEqual(["error: the name alice is taken; choose another with --name"]);
  expect(await listed(registry)).toEqual(before);
});

test("a registry without owners works as before: a name left elsewhere stays taken", async () => {
  const registry = await startRegistry("--open");
  expect((await plain(registry.url, "PUT", { protocol: "HTTP", host: HOST, port: 1 })).status).toBe(200);
  const alice = startAlice(registry.url);
  expect(await alice.exited).toBe(1);
  expect(alice.lines).toEqual(["error: the name alice is taken; choose another with --name"]);
});

test("who can keep no key is told once, and joins with a name that is open to all", async () => {
  const registry = await startRegistry();
  const alice = startAlice(registry.url, "HTTP", { XDG_STATE_HOME: "/dev/null" });
  await alice.sees(
    "warning: anybody can take the name alice from you: the key cannot be kept in /dev/null/talk/key (ENOTDIR)",
  );
  expect((await plain(registry.url, "PUT", MALLORY)).status).toBe(200);
  alice.type(":update");
  await alice.sees(/^warning: alice is registered at/);
  expect(alice.lines.filter((line) => line.includes("key"))).toHaveLength(1);
});

test("the secret goes with POST, PUT and DELETE to the registry, and nowhere else", async () => {
  const seen: string[] = [];
  const elsewhere: (string | null)[] = [];
  const thief = Bun.serve({
    hostname: HOST,
    port: 0,
    fetch({ headers }) {
      elsewhere.push(headers.get("authorization"));
      return Response.json({});
    },
  });
  afterwards(() => thief.stop(true));
  let users: object = {};
  const server = Bun.serve({
    hostname: HOST,
    port: 0,
    async fetch(request) {
      const { method, headers } = request;
      seen.push(`${method} ${/^Bearer [\w-]{43}$/.test(headers.get("authorization") ?? "")}`);
      if (method === "GET") return Response.json(users);
      if (method === "DELETE") return Response.redirect(`http://${HOST}:${thief.port}/`, 307);
      const { user, address } = JSON.parse(await request.text());
      users = { [user]: address };
      return Response.json({ status: "ok" });
    },
  });
  afterwards(() => server.stop(true));
  const alice = startAlice(`http://${HOST}:${server.port}`);
  await alice.sees(/\(you\)$/);
  alice.type(":exit");
  await alice.exited;
  expect(seen.filter((line) => line !== "GET false")).toEqual(["POST true", "DELETE true"]);
  expect(elsewhere).toEqual([]);
});

test("a registry that does not take one again is left alone for as long as it says, and one is told once", async () => {
  const taken = Promise.withResolvers<void>();
  const times: number[] = [];
  let users: object = {};
  const server = Bun.serve({
    hostname: HOST,
    port: 0,
    async fetch(request) {
      if (request.method === "GET") return Response.json(users);
      times.push(performance.now());
      // Taken at the start, lost at once, and refused once.
      if (times.length === 2) return new Response("", { status: 429, headers: { "retry-after": "1" } });
      if (times.length > 2) {
        const { user, address } = JSON.parse(await request.text());
        users = { [user]: address };
        taken.resolve();
      }
      return Response.json({ status: "ok" });
    },
  });
  afterwards(() => server.stop(true));
  const args = ["--name", "alice", "--port", "0", "--poll-interval", "0.2"];
  const url = `http://${HOST}:${server.port}`;
  const alice = start("src/client/main.ts", [...args, "--registry", url]);
  await alice.sees(
    "warning: others cannot find you, and you are not registered again: the registry answered 429; try again in 1 s",
  );
  await taken.promise;
  alice.type(":update");
  await alice.sees(/\(you\)$/);
  const [, refused = 0, again = 0] = times;
  expect(again - refused).toBeGreaterThanOrEqual(1000);
  expect(alice.lines.filter((line) => line.startsWith("warning"))).toHaveLength(1);
});
