/** How a client ends, and what it leaves behind. */
import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { afterwards } from "../helpers/afterwards.ts";
import { put } from "../helpers/chat.ts";
import { listed, root, start, startClient, startRegistry } from "../helpers/program.ts";
import { hangingPort, listening } from "../helpers/tcp.ts";

const HOST = "127.0.0.1";

describe("leaving", () => {
  const leave: [string, (client: Awaited<ReturnType<typeof startClient>>) => void][] = [
    [":exit", (client) => client.type(":exit", "not sent any more")],
    ["the end of input", (client) => client.endInput()],
    ["SIGINT", (client) => client.kill("SIGINT")],
    ["SIGTERM", (client) => client.kill("SIGTERM")],
    ["SIGHUP", (client) => client.kill("SIGHUP")],
  ];

  test.each(leave)("by %s delivers what was typed, unregisters and exits 0", async (_, end) => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry, "--protocol", "WEBSOCKET");
    const alice = await startClient("alice", registry);
    alice.type(":user bob", "hello");
    await bob.sees("alice: hello");
    end(alice);
    expect(await alice.exited).toBe(0);
    expect(Object.keys(await listed(registry))).toEqual(["bob"]);
    expect(alice.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  test("works in one pipe, as a script would have it", async () => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry, "--protocol", "UDP");
    const command = `printf ':user bob\\nhello\\n:exit\\n' | bun run client --name alice --port 0 --registry ${registry.url}`;
    const pipe = Bun.spawn(["sh", "-c", command], {
      cwd: root,
      env: process.env,
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await pipe.exited).toBe(0);
    expect(await new Response(pipe.stderr).text()).toBe("");
    await bob.sees("alice: hello");
    expect(Object.keys(await listed(registry))).toEqual(["bob"]);
  });

  test("works without the registry, and says that the name stayed there", async () => {
    const registry = await startRegistry();
    const alice = await startClient("alice", registry);
    registry.kill("SIGKILL");
    await registry.exited;
    alice.type(":exit");
    await alice.sees("error: the registry could not be asked to remove alice; it does so at its next check");
    expect(await alice.exited).toBe(0);
  });

  test("leaves alone an entry that is somebody else's by now", async () => {
    const registry = await startRegistry("--open");
    const alice = await startClient("alice", registry);
    const elsewhere = { protocol: "UDP", host: "10.0.0.5", port: 3000 };
    await put(registry, "alice", elsewhere);
    alice.type(":exit");
    expect(await alice.exited).toBe(0);
    expect(await listed(registry)).toEqual({ alice: elsewhere });
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "by %s works while the registry hangs, also at the start",
    async (signal) => {
      const asked = Promise.withResolvers<void>();
      const registry = createServer(() => asked.resolve());
      const alice = start("src/client/main.ts", ["--port", "0", "--registry", await listening(registry)]);
      await asked.promise;
      alice.kill(signal);
      expect(await alice.exited).toBe(0);
      expect(alice.lines).toEqual([]);
    },
  );

  test("by SIGTERM while the registry is slow to register one leaves nothing behind", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const users = new Map<string, unknown>();
    const registry = Bun.serve({
      hostname: HOST,
      port: 0,
      routes: {
        "/v1/users/": () => Response.json(Object.fromEntries(users)),
        "/v1/users/:user": { DELETE: ({ params }) => Response.json({ status: users.delete(params.user) }) },
        "/v1/users": {
          async POST(request) {
            const { user, address } = Object.fromEntries(Object.entries((await request.json()) ?? {}));
            users.set(String(user), address);
            asked.resolve();
            await answer.promise;
            return Response.json({ status: "ok" });
          },
        },
      },
    });
    afterwards(() => registry.stop(true));
    const alice = start("src/client/main.ts", [
      "--name",
      "alice",
      "--port",
      "0",
      "--registry",
      registry.url.origin,
    ]);
    await asked.promise;
    alice.kill("SIGTERM");
    setTimeout(answer.resolve, 800);
    expect(await alice.exited).toBe(0);
    expect(users.size).toBe(0);
  });

  test("by input that cannot be read is clean too, and told", async () => {
    const registry = await startRegistry();
    const command = `bun run client --name alice --port 0 --registry ${registry.url} < /`;
    const client = Bun.spawn(["sh", "-c", command], { cwd: root, env: process.env, stderr: "pipe" });
    expect(await new Response(client.stderr).text()).toBe("error: standard input cannot be read (EISDIR)\n");
    expect(await client.exited).toBe(0);
    expect(await listed(registry)).toEqual({});
  });

  test("with a message under way to a peer that hangs ends all the same, and tells", async () => {
    const registry = await startRegistry();
    await put(registry, "tarpit", { protocol: "HTTP", host: HOST, port: await hangingPort() });
    const alice = await startClient("alice", registry);
    alice.type(":user tarpit", "anybody there?", ":exit");
    await alice.sees(/^error: no answer from tarpit in [\d.]+ s; it may have arrived$/);
    expect(await alice.exited).toBe(0);
    expect(Object.keys(await listed(registry))).toEqual(["tarpit"]);
  });

  test("by a closed output is clean too", async () => {
    const registry = await startRegistry();
    const args = ["--name", "alice", "--port", "0", "--registry", registry.url];
    const client = [process.execPath, `${root}/src/client/main.ts`, ...args];
    const alice = Bun.spawn(["bash", "-c", 'set -o pipefail; "$@" | head -n 1', "bash", ...client], {
      env: process.env,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    });
    afterwards(() => alice.kill("SIGKILL"));
    await alice.stdout.getReader().read();
    alice.stdin.write(":help\n");
    alice.stdin.flush();
    expect(await alice.exited).toBe(0);
    expect(await listed(registry)).toEqual({});
  });
});
