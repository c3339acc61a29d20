/** Addresses that the registry does not contact, whoever registers them. */
import { describe, expect, test } from "bun:test";
import { createContactRule } from "../../src/core/denylist.ts";
import type { Address } from "../../src/core/schemas.ts";
import { openProbers } from "../../src/registry/health/probers.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { listed, start, startRegistry } from "../helpers/program.ts";

const protocols = ["HTTP", "WEBSOCKET", "UDP"] as const;

async function probe(address: Address, denied: string[] = []) {
  const { proberFor, close } = await openProbers(createContactRule(denied));
  afterwards(close);
  const check = proberFor(address).begin(address);
  afterwards(() => check.end());
  return check.probe(20_000);
}

/** Something that listens for TCP and UDP on all of a host, and counts who comes. */
async function trap(hostname: string) {
  let visits = 0;
  const tcp = Bun.listen({
    hostname,
    port: 0,
    socket: {
      open(socket) {
        visits++;
        socket.end();
      },
      data() {},
    },
  });
  const udp = await Bun.udpSocket({ hostname, port: tcp.port, socket: { data: () => void visits++ } });
  afterwards(() => tcp.stop(true));
  afterwards(() => udp.close());
  return { port: tcp.port, visits: () => visits };
}

describe.each(protocols)("a probe over %s", (protocol) => {
  test.each([
    "169.254.169.254",
    "fe80::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "224.0.0.1",
    "255.255.255.255",
  ])("to %s is denied", async (host) => expect(await probe({ protocol, host, port: 80 })).toBe("denied"));

  test.each(["127.0.0.1", "localhost"])(
    "to %s is denied if the operator says so, and nothing is sent",
    async (host) => {
      const { port, visits } = await trap("127.0.0.1");
      expect(await probe({ protocol, host, port }, ["127.0.0.0/8", "::1"])).toBe("denied");
      expect(visits()).toBe(0);
      // The trap does catch who comes; on UDP that would wait for an answer.
      if (protocol === "UDP") return;
      await probe({ protocol, host: "127.0.0.1", port });
      expect(visits()).toBeGreaterThan(0);
    },
  );
});

test("a probe over HTTP or WEBSOCKET goes to the resolved IP address, with the name as Host", async () => {
  const hosts: (string | null)[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, server) {
      hosts.push(request.headers.get("host"));
      return server.upgrade(request) ? undefined : new Response();
    },
    websocket: { message() {} },
  });
  afterwards(() => server.stop(true));
  const port = server.port ?? 0;
  expect(await probe({ protocol: "HTTP", host: "localhost", port })).toBe("alive");
  expect(await probe({ protocol: "WEBSOCKET", host: "localhost", port })).toBe("alive");
  expect(hosts).toEqual([`localhost:${port}`, `localhost:${port}`]);
});

test("users at denied addresses are registered, never contacted, and removed by their check", async () => {
  const { port, visits } = await trap("127.0.0.2");
  const registry = await startRegistry(
    ...["--check-interval", "0.2", "--check-window", "1", "--check-deny", "127.0.0.2,fd00::/8"],
  );
  const alive = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  afterwards(() => alive.stop(true));
  const users = { bob: "127.0.0.1", mallory: "127.0.0.2", metadata: "169.254.169.254", wide: "fd00::1" };
  for (const [user, host] of Object.entries(users)) {
    const answer = await fetch(`${registry.url}/v1/users/${user}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ protocol: "HTTP", host, port: user === "bob" ? alive.port : port }),
    });
    expect(answer.status).toBe(200);
  }
  for (let gone = 0; gone < 3; gone++)
    await registry.sees(/ removed (mallory|metadata|wide), who has an address that Talk never contacts/);
  expect(Object.keys(await listed(registry))).toEqual(["bob"]);
  expect(visits()).toBe(0);
});

test("--check-deny accepts only networks", async () => {
  const registry = start("src/registry/main.ts", ["--check-deny", "10.0.0.0/8,home"]);
  expect(await registry.exited).toBe(2);
  expect(registry.lines).toEqual(["error: --check-deny: a network looks like 10.0.0.0/8 or fd00::/8"]);
});
