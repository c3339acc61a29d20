/** What a client makes of being reached or not, where the registry is for other machines too. */
import { expect, test } from "bun:test";
import { REACH_HEADER } from "../../src/core/protocol.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { createInbox } from "../helpers/inbox.ts";
import { start, startClient, startRegistry } from "../helpers/program.ts";

test("a user whom the registry loses twice at an address given by hand is told, once, of --public-url", async () => {
  const often = ["--check-interval", "0.2", "--check-window", "1"];
  const registry = await startRegistry("--host", "0.0.0.0", ...often);
  // Nobody answers there, as behind a NAT that lets nobody in.
  const nowhere = ["--public-url", "http://127.0.0.1:1", "--poll-interval", "0.2"];
  const alice = start("src/client/main.ts", [
    "--name",
    "alice",
    "--registry",
    registry.url,
    ...nowhere,
    "--port",
    "0",
  ]);
  const warning = await alice.sees(/^warning: the registry has lost you twice/);
  expect(warning).toContain("at http://127.0.0.1:1; if others cannot reach you there");
  expect(warning).toContain("say with --public-url how they do");
  // Lost and registered a third time, and a fourth.
  for (let i = 0; i < 2; i++) await registry.sees(/ removed alice, who refuses/);
  for (let i = 0; i < 2; i++) await registry.sees(/ registered alice/);
  const told = alice.lines.filter((line) => line.includes("lost you twice"));
  expect(told).toHaveLength(1);
});

test("a user whom the registry reaches, or whose address is this machine's own, is not told so", async () => {
  const often = ["--check-interval", "0.2", "--check-window", "1", "--open"];
  const registry = await startRegistry("--host", "0.0.0.0", ...often);
  const alice = await startClient("alice", registry, "--poll-interval", "0.2");
  for (let i = 0; i < 3; i++) {
    await fetch(`${registry.url}/v1/users/alice`, { method: "DELETE" });
    await registry.sees(/ removed alice, who left/);
    await registry.sees(/ registered alice/);
  }
  expect(alice.lines.filter((line) => line.startsWith("warning"))).toEqual([]);
});

test.each([404, 405])(
  "a registry that answers %d to whether it reaches somebody is not noticed",
  async (status) => {
    const registry = await startRegistry();
    const asked = createInbox<string>();
    const plain = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        const isReach = pathname.endsWith("/reach");
        if (isReach) asked.push(`${request.method} ${pathname}`);
        const answer = isReach
          ? new Response("no", { status })
          : await fetch(registry.url + pathname, request);
        const headers = new Headers(answer.headers);
        headers.set(REACH_HEADER, "network");
        return new Response(await answer.arrayBuffer(), { status: answer.status, headers });
      },
    });
    afterwards(() => plain.stop(true));
    const alice = await startClient("alice", { url: plain.url.href });
    expect(await asked.next()).toBe("POST /v1/users/alice/reach");
    alice.type(":reach");
    await alice.sees("error: this registry cannot tell whether it reaches you");
    expect(alice.lines.filter((line) => /^(warning|error)/.test(line))).toHaveLength(1);
  },
);
