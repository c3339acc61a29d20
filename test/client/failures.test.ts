/** What goes wrong, and what a client says of it. */
import { describe, expect, test } from "bun:test";
import { afterwards } from "../helpers/afterwards.ts";
import { put } from "../helpers/chat.ts";
import { listed, start, startClient, startRegistry } from "../helpers/program.ts";
import { hangingPort } from "../helpers/tcp.ts";

const HOST = "127.0.0.1";

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
    await alice.sees(
      `error: no registry at ${registry.url} (connection refused); keeping the last known list`,
    );
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
    expect(alice.lines).toEqual([
      `error: port ${port} is in use; choose another with --port (0 picks a free one)`,
    ]);
    expect(await listed(registry)).toEqual({});
  });

  test("a host that is not this machine's", async () => {
    const registry = await startRegistry();
    const alice = start("src/client/main.ts", ["--host", "192.0.2.1", "--registry", registry.url]);
    expect(await alice.exited).toBe(1);
    expect(alice.lines).toEqual([
      expect.stringMatching(
        /^error: 192\.0\.2\.1 is not an address of this machine; choose one with --host: .*127\.0\.0\.1/,
      ),
    ]);
  });

  test.each([
    [
      "hello",
      'error: nobody is selected; choose with :user <user>, :update lists them all; then :again sends "hello"',
    ],
    [":user nobody", "error: no such user: nobody; :update lists them all"],
    [":user", "error: usage: :user <user>; :update lists them all"],
    [":user constructor", "error: no such user: constructor; :update lists them all"],
    [":updat", "error: no such command: :updat; did you mean :update? (::updat sends it as text)"],
    [":q", "error: no such command: :q; did you mean :exit? (::q sends it as text)"],
    [":list", "error: no such command: :list; did you mean :update? (::list sends it as text)"],
    [":reply bob", "error: usage: :reply, with nothing behind it"],
    [":help to", "error: usage: :help, with nothing behind it"],
    [":last 1 2 3", "error: usage: :last [user] [number]"],
    [
      ":to alicd hello",
      "error: not delivered to alicd: the registry knows no such user; did you mean alice?",
    ],
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
    await alice.sees(/is not a Talk registry \(its answer is no list of users\)/);
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
      `error: ${url} is not a Talk registry (${why}); give the URL of one with --registry`,
    ]);
  });

  test.each([
    ["file:///etc/passwd", "to what is no web address"],
    ["data:application/json,{}", "to what is no web address"],
    ["http://[", "to what is no web address"],
    ["/v1/users/", "without end"],
  ])("a redirect to %s where the registry should be", async (location, where) => {
    const server = Bun.serve({
      hostname: HOST,
      port: 0,
      fetch: () => new Response(null, { status: 302, headers: { location } }),
    });
    afterwards(() => server.stop(true));
    const url = `http://${HOST}:${server.port}`;
    const users = start("src/client/users.ts", ["--registry", url]);
    expect(await users.exited).toBe(1);
    expect(users.lines).toEqual([
      `error: ${url} is not a Talk registry (it redirects ${where}); give the URL of one with --registry`,
    ]);
  });

  test.each(["HTTP", "WEBSOCKET"])("a client on %s where the registry should be", async (protocol) => {
    const bob = await startClient("bob", await startRegistry(), "--protocol", protocol);
    const url = /(?<=you are bob at \w+:)\S+(?=;)/.exec(bob.lines.join("\n"))?.[0];
    const alice = start("src/client/main.ts", ["--port", "0", "--registry", `http:${url}`]);
    expect(await alice.exited).toBe(1);
    expect(alice.lines).toEqual([
      `error: http:${url} is not a Talk registry (it has no users at /v1/users); give the URL of one with --registry`,
    ]);
  });

  test("what lists no users where the registry should be", async () => {
    const url = `http:${serve(200, "text/plain")}`;
    const alice = start("src/client/main.ts", ["--port", "0", "--registry", url]);
    await alice.sees(
      /is not a Talk registry \(its answer is no list of users\).*; keeping the last known list$/,
    );
  });
});
