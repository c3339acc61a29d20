/** Whether a user is reached from the registry, and what a registry makes of loopback. */
import { expect, test } from "bun:test";
import { urlHost } from "../../src/core/address.ts";
import { networkAddresses } from "../../src/core/own-addresses.ts";
import { createRegistry } from "../../src/registry/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { put } from "../helpers/chat.ts";
import { freePort } from "../helpers/port.ts";
import { freshStore, storeKinds } from "../helpers/registry.ts";

const json = { "content-type": "application/json" };

async function openRegistry(host = "127.0.0.1", store = "memory:") {
  const registry = await createRegistry({ store });
  afterwards(registry.close);
  return { url: await registry.listen({ host, port: 0 }) };
}

/** A user who answers the checks on HTTP. */
async function addHealthy(registry: { url: string }, user: string) {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json({ status: "ok" }) });
  afterwards(() => server.stop(true));
  const address = { protocol: "HTTP", host: "127.0.0.1", port: server.port };
  await put(registry, user, address);
  return { address };
}

async function ask(registry: { url: string }, user: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${registry.url}/v1/users/${user}/reach`, { method: "POST", headers });
  return { status: answer.status, retryAfter: answer.headers.get("retry-after"), body: await answer.json() };
}

test("a user who answers is reached, and the response says from where", async () => {
  const registry = await openRegistry();
  await addHealthy(registry, "bob");
  const bob = await ask(registry, "bob");
  expect(bob.status).toBe(200);
  expect(bob.body).toEqual({ status: "ok", reached: "yes", reason: "it answered", from: "127.0.0.1" });
});

test.each(["HTTP", "WEBSOCKET", "UDP"])(
  "a user on %s whose port is closed is not reached",
  async (protocol) => {
    const registry = await openRegistry();
    const address = { protocol, host: "127.0.0.1", port: freePort() };
    await fetch(`${registry.url}/v1/users/bob`, {
      method: "PUT",
      headers: json,
      body: JSON.stringify(address),
    });
    expect((await ask(registry, "bob")).body).toEqual({
      status: "ok",
      reached: "no",
      reason: "it refuses connections, or there is no such host",
      from: "127.0.0.1",
    });
  },
);

test("an unknown user cannot be tested, nor a user or its address twice in 5 s", async () => {
  const registry = await openRegistry();
  const { address } = await addHealthy(registry, "bob");
  await fetch(`${registry.url}/v1/users/alias`, {
    method: "PUT",
    headers: json,
    body: JSON.stringify(address),
  });
  expect((await ask(registry, "carol")).status).toBe(404);
  expect((await ask(registry, "bob")).status).toBe(200);
  const again = await ask(registry, "bob");
  expect([again.status, Number(again.retryAfter) > 0]).toEqual([429, true]);
  expect((await ask(registry, "alias")).status).toBe(429);
});

test("an address cannot be tested twice in 5 s under other spellings, names or protocols", async () => {
  const registry = await openRegistry();
  const { address } = await addHealthy(registry, "bob");
  const spellings = ["127.0.0.1", "::ffff:127.0.0.1", "::FFFF:7f00:1", "localhost", "LOCALHOST"];
  for (const [i, host] of spellings.entries()) await put(registry, `user-${i}`, { ...address, host });
  await put(registry, "websocket", { ...address, protocol: "WEBSOCKET" });
  expect((await ask(registry, "bob")).status).toBe(200);
  for (const user of [...spellings.keys()].map((i) => `user-${i}`).concat("websocket"))
    expect((await ask(registry, user)).status).toBe(429);
});

const [outside] = networkAddresses();
if (!outside) process.stderr.write("skipped: who asks from elsewhere, because this machine has no network\n");

test.skipIf(!outside)("one source may test 30 users at once, and this machine any number", async () => {
  const registry = await openRegistry("::");
  const { port } = new URL(registry.url);
  const statuses = async (base: string) => {
    const all: number[] = [];
    for (let i = 0; i < 35; i++) all.push((await ask({ url: base }, `user-${i}`)).status);
    return [all.indexOf(429) >= 30, new Set(all)];
  };
  expect(await statuses(`http://${urlHost(outside ?? "")}:${port}`)).toEqual([true, new Set([404, 429])]);
  expect(await statuses(`http://127.0.0.1:${port}`)).toEqual([false, new Set([404])]);
});

test.each(storeKinds)("on %s only the owner of a name may test it", async (kind) => {
  const registry = await openRegistry("127.0.0.1", await freshStore(kind));
  const owner = { authorization: "Bearer secret-of-bob" };
  const address = { protocol: "HTTP", host: "127.0.0.1", port: freePort() };
  const body = JSON.stringify({ user: "bob", address });
  await fetch(`${registry.url}/v1/users`, { method: "POST", headers: { ...json, ...owner }, body });
  expect((await ask(registry, "bob")).status).toBe(401);
  expect((await ask(registry, "bob", { authorization: "Bearer of-mallory" })).status).toBe(403);
  expect((await ask(registry, "bob", owner)).status).toBe(200);
});

test("every response says whether other machines can connect to the registry", async () => {
  const paths = ["/v1/users/", "/v1/health", "/v1/users/nobody", "/nowhere"];
  const headers = async ({ url }: { url: string }) =>
    Promise.all(paths.map(async (path) => (await fetch(url + path)).headers.get("talk-reach")));
  expect(await headers(await openRegistry())).toEqual(paths.map(() => null));
  expect(await headers(await openRegistry("localhost"))).toEqual(paths.map(() => null));
  expect(await headers(await openRegistry("0.0.0.0"))).toEqual(paths.map(() => "network"));
});

test("a loopback host sent from this machine is kept, whichever of its addresses sends it", async () => {
  const registry = await openRegistry("0.0.0.0");
  const { port } = new URL(registry.url);
  for (const ip of ["127.0.0.1", ...networkAddresses().filter((each) => !each.includes(":"))]) {
    const address = { protocol: "HTTP", host: "127.0.0.1", port: freePort() };
    const url = `http://${ip}:${port}/v1/users/bob`;
    await fetch(url, { method: "PUT", headers: json, body: JSON.stringify(address) });
    expect(await (await fetch(url)).json()).toEqual(address);
  }
});
