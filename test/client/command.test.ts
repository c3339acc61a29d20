/** The client as its user meets it: a process, fed by a pipe. */
import { describe, expect, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { afterwards } from "../helpers/afterwards.ts";
import { listed, root, start, startClient, startRegistry } from "../helpers/program.ts";

const HOST = "127.0.0.1";
const protocols = ["HTTP", "WEBSOCKET", "UDP"];
const pairs = protocols.flatMap((from) => protocols.map((to) => ({ from, to })));

describe("a conversation", () => {
  test.each(pairs)("goes both ways between a client on $from and one on $to", async ({ from, to }) => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry, "--protocol", to);
    const alice = await startClient("alice", registry, "--protocol", from.toLowerCase());
    alice.type(":user bob", "hello bob", "::smile", ":) is text", "");
    for (const text of ["hello bob", ":smile", ":) is text"]) await bob.sees(`alice: ${text}`);
    bob.type(":user alice", "hello alice");
    await alice.sees("bob: hello alice");
    expect([...alice.lines, ...bob.lines].filter((line) => line.startsWith("error"))).toEqual([]);
  });

  test.each(protocols)("keeps the order of 300 messages over %s", async (protocol) => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry, "--protocol", protocol);
    const alice = await startClient("alice", registry);
    const texts = Array.from({ length: 300 }, (_, i) => `message ${i}`);
    alice.type(":user bob", ...texts);
    await bob.sees("alice: message 299");
    expect(bob.lines.filter((line) => line.startsWith("alice:"))).toEqual(
      texts.map((text) => `alice: ${text}`),
    );
  });

  test.each(protocols)("loses none of 20 messages of 60,000 bytes over %s", async (protocol) => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry, "--protocol", protocol);
    const alice = await startClient("alice", registry);
    const texts = Array.from({ length: 20 }, (_, i) => `${i} ${"名".repeat(20_000)}`);
    alice.type(":user bob", ...texts);
    for (const text of texts) await bob.sees(`alice: ${text}`);
  });

  test("shows what came from outside without a byte that could command a terminal", async () => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry);
    const alice = await startClient("alice", registry);
    alice.type(":user bob", "\x1b]0;title\x07\x1b[2Jhi\x9b\u202e\u200b");
    await bob.sees("alice: \\e]0;title\\u{07}\\e[2Jhi\\u{9b}\\u{202e}\\u{200b}");
    const { port } = await address(registry, "bob");
    const text = "one\nmallory: two\r\n";
    await fetch(`http://${HOST}:${port}/v1/message`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: "alice", text }),
    });
    await bob.sees("alice: one\\nmallory: two\\r\\n");
  });
});

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
    await alice.sees("error: the registry could not be asked to remove alice");
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
    await alice.sees("error: left before 1 message to tarpit could be delivered");
    expect(await alice.exited).toBe(0);
    expect(Object.keys(await listed(registry))).toEqual(["tarpit"]);
  });

  test("by a closed output is clean too", async () => {
    const registry = await startRegistry();
    const args = ["--name", "alice", "--port", "0", "--registry", registry.url];
    const alice = Bun.spawn([process.execPath, `${root}/src/client/main.ts`, ...args], {
      env: process.env,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    });
    afterwards(() => alice.kill("SIGKILL"));
    const reader = alice.stdout.getReader();
    await reader.read();
    await reader.cancel();
    alice.stdin.write(":help\n");
    alice.stdin.flush();
    expect(await alice.exited).toBe(0);
    expect(await listed(registry)).toEqual({});
  });
});

describe("what goes wrong is one line that says what to do, and the chat goes on:", () => {
  test("no registry at the start", async () => {
    const alice = start("src/client/main.ts", ["--registry", `http://${HOST}:1`]);
    expect(await alice.exited).toBe(1);
    expect(alice.lines).toEqual([
      `error: no registry at http://${HOST}:1 (connection refused); start one with: bun run registry --port 1`,
    ]);
  });

  test("no registry at :update", async () => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry);
    const alice = await startClient("alice", registry);
    bob.type(":update");
    await bob.sees(/^alice {2}/);
    registry.kill("SIGKILL");
    await registry.exited;
    alice.type(":update");
    await alice.sees(`error: no registry at ${registry.url} (connection refused); the known list stays`);
    alice.type(":user bob", "still works");
    await bob.sees("alice: still works");
  });

  test("a name that is taken", async () => {
    const registry = await startRegistry();
    await startClient("alice", registry);
    const second = start("src/client/main.ts", [
      "--name",
      "alice",
      "--port",
      "0",
      "--registry",
      registry.url,
    ]);
    expect(await second.exited).toBe(1);
    expect(second.lines).toEqual(["error: the name alice is taken; choose another with --name"]);
    expect(Object.keys(await listed(registry))).toEqual(["alice"]);
  });

  test("a port that is taken", async () => {
    const registry = await startRegistry();
    const port = String(await hangingPort());
    const alice = start("src/client/main.ts", [
      "--name",
      "alice",
      "--port",
      port,
      "--registry",
      registry.url,
    ]);
    expect(await alice.exited).toBe(1);
    expect(alice.lines).toEqual([`error: port ${port} is in use; choose another with --port`]);
    expect(await listed(registry)).toEqual({});
  });

  test("a host that is not this machine's", async () => {
    const registry = await startRegistry();
    const alice = start("src/client/main.ts", ["--host", "192.0.2.1", "--registry", registry.url]);
    expect(await alice.exited).toBe(1);
    expect(alice.lines).toEqual([
      "error: 192.0.2.1 is not an address of this machine; choose one with --host",
    ]);
  });

  test.each([
    [
      "hello",
      "error: nobody is selected; choose with :user <user>, :update lists them all; then :again sends this",
    ],
    [":user nobody", "error: no such user: nobody; :update lists them all"],
    [":user", "error: whom? type :user <user>; :update lists them all"],
    [":user constructor", "error: no such user: constructor; :update lists them all"],
    [":updat", "error: no such command: :updat; did you mean :update? (::updat sends it as text)"],
    ["/user bob", "error: commands begin with a colon; did you mean :user bob?"],
    ["/EXIT", "error: commands begin with a colon; did you mean :exit?"],
    [":xyzzy", "error: no such command: :xyzzy; see :help (::xyzzy sends it as text)"],
    [":constructor", "error: no such command: :constructor; see :help (::constructor sends it as text)"],
  ])("%s", async (line, error) => {
    const registry = await startRegistry();
    const alice = await startClient("alice", registry);
    alice.type(line, ":user alice", "to myself");
    await alice.sees(error);
    await alice.sees("alice: to myself");
  });

  test("a text that is too long", async () => {
    const registry = await startRegistry();
    const alice = await startClient("alice", registry);
    alice.type(":user alice", "x".repeat(64_000), "y".repeat(3_000_000), "short");
    const error = "error: not delivered to alice: The message is too large; send at most 64000 bytes.";
    await alice.sees(error);
    await alice.sees(error);
    await alice.sees("alice: short");
  });

  test.each([
    ["HTTP", "connection refused"],
    ["WEBSOCKET", "connection refused"],
    ["UDP", "its port is closed"],
  ])("a peer on %s that refuses", async (protocol, reason) => {
    const registry = await startRegistry();
    await put(registry, "bob", { protocol, host: HOST, port: 1 });
    const alice = await startClient("alice", registry);
    alice.type(":user bob", "hello");
    await alice.sees(`error: not delivered to bob yet: ${reason}; it waits until bob is back`);
    alice.type(":user alice", "to myself");
    await alice.sees("alice: to myself");
  });

  test("a peer that answers 500", async () => {
    const registry = await startRegistry();
    const server = Bun.serve({ hostname: HOST, port: 0, fetch: () => new Response("no", { status: 500 }) });
    afterwards(() => server.stop(true));
    await put(registry, "bob", { protocol: "HTTP", host: HOST, port: server.port });
    const alice = await startClient("alice", registry);
    alice.type(":user bob", "hello");
    await alice.sees("error: not delivered to bob: it answered 500");
  });

  test("a peer that hangs, which delays nobody else", async () => {
    const registry = await startRegistry();
    await put(registry, "tarpit", { protocol: "HTTP", host: HOST, port: await hangingPort() });
    const bob = await startClient("bob", registry);
    const alice = await startClient("alice", registry);
    alice.type(":user tarpit", "anybody there?", ":user bob", "hello");
    await bob.sees("alice: hello");
    expect(alice.lines.filter((line) => line.startsWith("error"))).toEqual([]);
    await alice.sees("error: no answer from tarpit in 5 s; it may have arrived");
  });

  test("a user who listens on a protocol of another make", async () => {
    const odd = {
      quic: { protocol: "QUIC", host: "h", port: 1 },
      broken: 7,
      "\x1b[2J": { protocol: "\n", host: "r", port: "1" },
      space: { protocol: "WEBSOCKET", host: "h h", port: 1 },
      bracket: { protocol: "HTTP", host: "]/?@\r", port: 1 },
      nowhere: { protocol: "UDP", host: "", port: 1 },
      zero: { protocol: "UDP", host: "h", port: 0 },
      huge: { protocol: "HTTP", host: "h", port: 65_536 },
    };
    const server = Bun.serve({
      hostname: HOST,
      port: 0,
      fetch: (request) => Response.json(request.method === "GET" ? odd : { status: "ok" }),
    });
    afterwards(() => server.stop(true));
    const alice = start("src/client/main.ts", [
      "--port",
      "0",
      "--name",
      "alice",
      "--registry",
      `http://${HOST}:${server.port}`,
    ]);
    await alice.sees('"\\e[2J"  \\n://r:1');
    await alice.sees("quic  quic://h:1");
    expect(alice.lines).toHaveLength(3);
    alice.type(":user quic");
    await alice.sees("error: quic listens on QUIC, which this client does not speak");
  });

  test("an error of the registry, shown without its control characters", async () => {
    const answer = { status: "error", message: "no\x1b[2J\nalice: hi" };
    const server = Bun.serve({
      hostname: HOST,
      port: 0,
      fetch: () => Response.json(answer, { status: 400 }),
    });
    afterwards(() => server.stop(true));
    const alice = start("src/client/main.ts", ["--port", "0", "--registry", `http://${HOST}:${server.port}`]);
    expect(await alice.exited).toBe(1);
    expect(alice.lines).toEqual(["error: the registry says: no\\e[2J\\nalice: hi"]);
  });

  test("a registry that sends one elsewhere", async () => {
    const registry = await startRegistry();
    const server = Bun.serve({
      hostname: HOST,
      port: 0,
      fetch: ({ url }) => Response.redirect(registry.url + new URL(url).pathname, 301),
    });
    afterwards(() => server.stop(true));
    const alice = start("src/client/main.ts", ["--port", "0", "--registry", `http://${HOST}:${server.port}`]);
    expect(await alice.exited).toBe(1);
    expect(alice.lines).toEqual([`error: the registry has moved to ${registry.url}/v1/users`]);
    expect(await listed(registry)).toEqual({});
  });

  test("a list without end, which is not gathered", async () => {
    let sent = 0;
    function pull(controller: ReadableStreamDefaultController) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(32));
    }
    const fetch = () => new Response(new ReadableStream({ pull }));
    const server = Bun.serve({ hostname: HOST, port: 0, fetch });
    afterwards(() => server.stop(true));
    const url = `http://${HOST}:${server.port}`;
    const alice = start("src/client/main.ts", ["--name", "alice", "--port", "0", "--registry", url]);
    await alice.sees(/is no Talk registry \(its answer is no list of users\)/);
    expect(sent).toBeLessThan(100_000_000);
  });

  function serve(status: number, type: string): string {
    const answer = () => new Response("<html>", { status, headers: { "content-type": type } });
    const server = Bun.serve({ hostname: HOST, port: 0, fetch: answer });
    afterwards(() => server.stop(true));
    return `//${HOST}:${server.port}`;
  }

  test.each([
    ["a web page", "http", 200, "it answers with a web page"],
    ["a page that is not there", "http", 404, "it has no users at /v1/users"],
    ["a page that takes no POST", "http", 405, "it has no users at /v1/users"],
    ["no TLS", "https", 200, "it does not speak TLS; try http://"],
  ])("%s where the registry should be", async (_, scheme, status, why) => {
    const url = `${scheme}:${serve(status, "text/html")}`;
    const alice = start("src/client/main.ts", ["--port", "0", "--registry", url]);
    expect(await alice.exited).toBe(1);
    expect(alice.lines).toEqual([
      `error: ${url} is no Talk registry (${why}); say where one is with --registry`,
    ]);
  });

  test.each(["HTTP", "WEBSOCKET"])("a client on %s where the registry should be", async (protocol) => {
    const bob = await startClient("bob", await startRegistry(), "--protocol", protocol);
    const url = /(?<=you are bob at \w+:)\S+(?=;)/.exec(bob.lines.join("\n"))?.[0];
    const alice = start("src/client/main.ts", ["--port", "0", "--registry", `http:${url}`]);
    expect(await alice.exited).toBe(1);
    expect(alice.lines).toEqual([
      `error: http:${url} is no Talk registry (it has no users at /v1/users); say where one is with --registry`,
    ]);
  });

  test("what lists no users where the registry should be", async () => {
    const url = `http:${serve(200, "text/plain")}`;
    const alice = start("src/client/main.ts", ["--port", "0", "--registry", url]);
    await alice.sees(/is no Talk registry \(its answer is no list of users\).*; the known list stays$/);
  });
});

describe("a peer that moved", () => {
  test("gets the message at its new address, and later ones behind it", async () => {
    const registry = await startRegistry("--open");
    const bob = await startClient("bob", registry, "--protocol", "UDP");
    const alice = await startClient("alice", registry);
    const moved = await address(registry, "bob");
    await put(registry, "bob", { protocol: "HTTP", host: HOST, port: 1 });
    alice.type(":update");
    await alice.sees(`bob  http://${HOST}:1`);
    alice.type(":user bob");
    await alice.sees(`your messages go to bob at http://${HOST}:1`);
    await put(registry, "bob", moved);
    alice.type("one", "two", "three");
    for (const text of ["one", "two", "three"]) await bob.sees(`alice: ${text}`);
    expect(alice.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  test("that left is told of and not selected any more", async () => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry);
    const alice = await startClient("alice", registry);
    alice.type(":update", ":user bob");
    await alice.sees(/^your messages go to bob/);
    bob.type(":exit");
    await bob.exited;
    await alice.sees("bob left; nobody is selected");
    alice.type("hello");
    await alice.sees(/^error: nobody is selected/);
  });
});

describe("the list", () => {
  test("is sorted by name, with oneself marked", async () => {
    const registry = await startRegistry();
    await put(registry, "carol", { protocol: "UDP", host: "10.0.0.5", port: 3000 });
    await put(registry, "__proto__", { protocol: "WEBSOCKET", host: "::1", port: 8082 });
    const bob = start("src/client/main.ts", ["--port", "0", "--name", "bob", "--registry", registry.url]);
    await bob.sees("carol  udp://10.0.0.5:3000");
    expect(bob.lines.slice(1)).toEqual([
      "__proto__  ws://[::1]:8082",
      expect.stringMatching(/^bob {2}http:\/\/127\.0\.0\.1:\d+ {2}\(you\)$/),
      "carol  udp://10.0.0.5:3000",
    ]);
  });

  test(":help shows every command", async () => {
    const registry = await startRegistry();
    const alice = await startClient("alice", registry);
    alice.type(":help");
    for (const command of [":update", ":user <user>", ":exit", ":help"]) {
      await alice.sees(new RegExp(`^${command} +\\w`));
    }
  });
});

describe("the options", () => {
  test("--name is by default the login name, and -2 behind it if that is taken", async () => {
    const registry = await startRegistry();
    for (const name of ["ann.b-c_1", "ann.b-c_1-2"]) {
      const client = start("src/client/main.ts", ["--port", "0", "--registry", registry.url], {
        USER: "ann.b-c_1",
      });
      await client.sees(new RegExp(`^you are ${name} at`));
    }
  });

  test("a login name that is no legal name is made one", async () => {
    const registry = await startRegistry();
    const client = start("src/client/main.ts", ["--port", "0", "--registry", registry.url], {
      USER: "DOM\\ann é",
    });
    await client.sees(/^you are DOM-ann-- at/);
  });

  test("one's own name, left by a crash at the same address, is taken back", async () => {
    const registry = await startRegistry();
    const first = await startClient("alice", registry);
    const { port } = await address(registry, "alice");
    first.kill("SIGKILL");
    await first.exited;
    const args = ["--name", "alice", "--port", String(port), "--registry", registry.url];
    const second = start("src/client/main.ts", args);
    await second.sees(`you are alice at http://${HOST}:${port}; :help lists the commands`);
  });

  test.each([
    ["HTTP", 8080],
    ["WEBSOCKET", 8082],
    ["UDP", 3000],
  ])("on %s the default port is %d, or the next free one", async (protocol, port) => {
    const registry = await startRegistry();
    const wanted = /^you are alice at \w+:\/\/127\.0\.0\.1:(\d+)/;
    const args = ["--protocol", protocol, "--registry", registry.url, "--name"];
    const first = start("src/client/main.ts", [...args, "alice"]);
    const taken = Number(wanted.exec(await first.sees(wanted))?.[1]);
    expect(taken).toBeGreaterThanOrEqual(port);
    const second = start("src/client/main.ts", [...args, "bob"]);
    const line = await second.sees(/^you are bob/);
    expect(line).toContain(`; port ${port} is in use, so you listen on `);
  });

  test.each([
    [["--public-url", "http://chat.example"], { protocol: "HTTP", host: "chat.example", port: 80 }],
    [["--public-url", "ws://chat.example:81/"], { protocol: "WEBSOCKET", host: "chat.example", port: 81 }],
    [["--public-url", "udp://[2001:db8::1]:3000"], { protocol: "UDP", host: "2001:db8::1", port: 3000 }],
    [["--public-url", "udp://h:3000", "--protocol", "udp"], { protocol: "UDP", host: "h", port: 3000 }],
  ])("%j is registered as %j", async (args, registered) => {
    const registry = await startRegistry();
    await startClient("alice", registry, ...args);
    expect(await listed(registry)).toEqual({ alice: registered });
  });

  test.each([
    ["0.0.0.0", HOST],
    ["::", HOST],
    ["0.0.0.0", "::1"],
    ["::", "::1"],
  ])(
    "--host %s listens everywhere, and registers what a registry at %s reaches",
    async (host, registryHost) => {
      const registry = await startRegistry("--host", registryHost);
      const alice = await startClient("alice", registry, "--host", host);
      const { host: registered } = await address(registry, "alice");
      expect(registered).toBe(registryHost);
      await startClient("bob", registry).then((bob) => bob.type(":user alice", "hello"));
      await alice.sees("bob: hello");
    },
  );

  test("--registry may have a path in front and a slash behind", async () => {
    const registry = await startRegistry();
    const proxy = Bun.serve({
      hostname: HOST,
      port: 0,
      fetch(request) {
        const { pathname } = new URL(request.url);
        if (!pathname.startsWith("/talk/v1/")) return new Response("no", { status: 404 });
        return fetch(new Request(registry.url + pathname.slice(5), request));
      },
    });
    afterwards(() => proxy.stop(true));
    await startClient("alice", { url: `http://${HOST}:${proxy.port}/talk/` });
    expect(Object.keys(await listed(registry))).toEqual(["alice"]);
  });

  test.each([
    [["--prot", "UDP"], "error: unknown option --prot; did you mean --protocol?"],
    [["--nmae", "x"], "error: unknown option --nmae; did you mean --name?"],
    [["--zzzzzzz"], "error: unknown option --zzzzzzz; see --help"],
    [["hello"], 'error: unexpected "hello"; options start with --, see --help'],
    [["--name"], "error: --name needs a value; see --help"],
    [
      ["--name", "a b"],
      'error: --name must be 1 to 64 of the characters a-z, A-Z, 0-9, "-", "_" and ".", and not "." or ".."',
    ],
    [["--port", "80x"], "error: --port must be a whole number from 0 to 65535"],
    [["--port", "65536"], "error: --port must be a whole number from 0 to 65535"],
    [["--protocol", "tcp"], "error: --protocol must be HTTP, WEBSOCKET or UDP"],
    [
      ["--host", "a b"],
      "error: --host must be an IPv4 address, an IPv6 address without brackets or zone, or a host name",
    ],
    [
      ["--registry", "ftp://localhost"],
      "error: --registry must be a URL such as http://127.0.0.1:8088, or a host as in db or db:9000",
    ],
    [
      ["--public-url", "ws://h", "--protocol", "UDP"],
      "error: --public-url says WEBSOCKET, --protocol says UDP; leave --protocol out",
    ],
    [
      ["--public-url", "http://h/path"],
      "error: --public-url is not valid: it must look like http://host[:port], ws://host[:port] or udp://host:port",
    ],
    [
      ["--public-url", "udp://h"],
      "error: --public-url is not valid: it must look like http://host[:port], ws://host[:port] or udp://host:port",
    ],
  ])("%j is an error", async (args, error) => {
    const client = start("src/client/main.ts", args);
    expect(await client.exited).toBe(2);
    expect(client.lines).toEqual([error]);
  });

  test("--help names every option", async () => {
    const client = start("src/client/main.ts", ["--help"]);
    expect(await client.exited).toBe(0);
    for (const option of ["name", "registry", "protocol", "host", "port", "public-url"]) {
      expect(client.lines.join("\n")).toContain(`--${option}=`);
    }
  });
});

async function address(registry: { url: string }, user: string): Promise<{ host: string; port: number }> {
  return JSON.parse(await (await fetch(`${registry.url}/v1/users/${user}`)).text());
}

async function put(registry: { url: string }, user: string, address: object): Promise<void> {
  const answer = await fetch(`${registry.url}/v1/users/${user}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(address),
  });
  expect(answer.status).toBe(200);
}

/** A port where connections are taken, and nothing is ever answered. */
async function hangingPort(): Promise<number> {
  return Number(new URL(await listening(createServer(() => {}))).port);
}

/** Starts a TCP server on a free port, and gives the URL. */
async function listening(server: Server): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, HOST, resolve);
  await promise;
  afterwards(() => server.close());
  const bound = server.address();
  return `http://${HOST}:${typeof bound === "object" && bound ? bound.port : 0}`;
}
