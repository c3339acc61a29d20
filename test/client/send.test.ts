/** `bun run send` as a script meets it: arguments, standard input, output, and exit codes. */
import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { join, type Protocol } from "talk/client";
import { createRegistry } from "talk/registry";
import { afterwards } from "../helpers/afterwards.ts";
import { root } from "../helpers/program.ts";
import { run } from "../helpers/run.ts";

const HOST = "127.0.0.1";

async function openRegistry() {
  const registry = await createRegistry({ store: "memory:" });
  afterwards(() => registry.close());
  const url = await registry.listen({ port: 0 });

  /** A user, and the messages that it gets. */
  async function user(name: string, protocol: Protocol = "HTTP") {
    const me = await join({ name, protocol, registry: url, port: 0 });
    afterwards(() => me.close());
    return {
      async next() {
        for await (const event of me) if (event.type === "message") return [event.user, event.text];
        return undefined;
      },
    };
  }

  async function put(name: string, address: object) {
    const headers = { "content-type": "application/json" };
    await fetch(`${url}/v1/users/${name}`, { method: "PUT", headers, body: JSON.stringify(address) });
  }

  const send = (args: string[], stdin?: string | Uint8Array) =>
    run("src/client/send.ts", ["--registry", url, ...args], stdin);
  return { url, user, put, send };
}

describe("a text", () => {
  test.each([
    ["HTTP", 0, "delivered to bob\n", ""],
    ["WEBSOCKET", 0, "delivered to bob\n", ""],
    ["UDP", 3, "", "maybe delivered to bob: sent; its protocol does not tell whether it arrived\n"],
  ] as const)("to a user on %s exits %d", async (protocol, exitCode, stdout, stderr) => {
    const { user, send } = await openRegistry();
    const bob = await user("bob", protocol);
    expect(await send(["--to", "bob", "--name", "cron", "hello", "there"])).toEqual({
      stdout,
      stderr,
      exitCode,
    });
    expect(await bob.next()).toEqual(["cron", "hello there"]);
  });

  test.each([
    ["from a pipe loses one line break at its end", "done\n", "done"],
    ["keeps the others, without their CR", "\n a\r\n\tb\r\n\r\n", "\n a\n\tb\n"],
    ["from another system loses its BOM, and none behind the start", "\ufeff\ufeffa\r\n", "\ufeffa"],
    ["keeps a CR that ends no line", "a\rb\n", "a\rb"],
    ["may hold what a shell would obey", "$(id) `id` \"'\\ $HOME\n", "$(id) `id` \"'\\ $HOME"],
    ["may have 60,000 bytes", "名".repeat(20_000), "名".repeat(20_000)],
  ])("%s", async (_, stdin, text) => {
    const { user, send } = await openRegistry();
    const bob = await user("bob");
    expect((await send(["--to", "bob"], stdin)).exitCode).toBe(0);
    expect(await bob.next()).toEqual(["ann", text]);
  });

  test("may be empty, if that is said", async () => {
    const { user, send } = await openRegistry();
    const bob = await user("bob");
    expect((await send(["--to", "bob", ""])).exitCode).toBe(0);
    expect(await bob.next()).toEqual(["ann", ""]);
  });

  test("is sent by TALK_NAME over TALK_REGISTRY, which may be a host and port", async () => {
    const { url, user } = await openRegistry();
    const bob = await user("bob");
    const env = { ...process.env, TALK_NAME: "cron", TALK_REGISTRY: new URL(url).host };
    const child = Bun.spawn([process.execPath, `${root}/src/client/send.ts`, "--to", "bob", "hi"], { env });
    expect(await child.exited).toBe(0);
    expect(await bob.next()).toEqual(["cron", "hi"]);
  });

  test.each([
    ["send.ts", ["--to", "bob", "hi"]],
    ["main.ts", ["--port", "0"]],
  ])(
    "is not sent under the name of the registry's probes, which TALK_NAME may hold: %s",
    async (main, args) => {
      const env = { ...process.env, TALK_NAME: "healthCheck" };
      const command = [process.execPath, `${root}/src/client/${main}`, ...args];
      const child = Bun.spawn(command, { env, stdin: "ignore", stderr: "pipe" });
      expect(await child.exited).toBe(2);
      expect(await new Response(child.stderr).text()).toContain("must not be healthCheck");
    },
  );

  test("may begin with a dash behind --", async () => {
    const { user, send } = await openRegistry();
    const bob = await user("bob");
    expect((await send(["--to", "bob", "--", "--help", "me"])).exitCode).toBe(0);
    expect(await bob.next()).toEqual(["ann", "--help me"]);
  });

  test.each(["yes | head -100000", "yes", "cat /dev/zero"])(
    "that is too long is one refusal, and no more of it is read: %s",
    async (source) => {
      const { url, user } = await openRegistry();
      await user("bob");
      const command = `${source} | bun run send --to bob --registry ${url}`;
      const pipe = Bun.spawn(["sh", "-c", command], { cwd: root, stdout: "pipe", stderr: "pipe" });
      expect(await pipe.exited).toBe(1);
      expect(await new Response(pipe.stderr).text()).toBe(
        "error: not delivered to bob: The message is too large; send at most 64000 bytes.\n",
      );
    },
  );

  test("that is without end, straight from a device, is refused within 3 s", async () => {
    const { url, user } = await openRegistry();
    await user("bob");
    const began = performance.now();
    const child = Bun.spawn(
      [process.execPath, `${root}/src/client/send.ts`, "--to", "bob", "--registry", url],
      {
        stdin: Bun.file("/dev/zero"),
        stderr: "pipe",
      },
    );
    expect(await child.exited).toBe(1);
    expect(performance.now() - began).toBeLessThan(3000);
    expect(await new Response(child.stderr).text()).toContain("The message is too large");
  });

  test("is delivered also when nobody reads the report", async () => {
    const { url, user } = await openRegistry();
    const bob = await user("bob");
    const command = `(bun run send --to bob --registry ${url} hello; echo "exit code $?" >&2) | true`;
    const pipe = Bun.spawn(["sh", "-c", command], { cwd: root, stderr: "pipe" });
    expect(await bob.next()).toMatchObject([expect.any(String), "hello"]);
    expect(await new Response(pipe.stderr).text()).toBe("exit code 0\n");
  });

  test("registers nobody", async () => {
    const { url, user, send } = await openRegistry();
    await user("bob");
    await send(["--to", "bob", "--name", "cron", "hello"]);
    expect(Object.keys(JSON.parse(await (await fetch(`${url}/v1/users/`)).text()))).toEqual(["bob"]);
  });

  test("goes to where a user has moved meanwhile", async () => {
    const { url, user, put } = await openRegistry();
    const bob = await user("bob");
    const address = await (await fetch(`${url}/v1/users/bob`)).json();
    await put("bob", { protocol: "HTTP", host: HOST, port: 1 });
    let lists = 0;
    const proxy = Bun.serve({
      hostname: HOST,
      port: 0,
      async fetch(request) {
        if (++lists === 2) await put("bob", Object(address));
        return fetch(url + new URL(request.url).pathname);
      },
    });
    afterwards(() => proxy.stop(true));
    const { exitCode } = await run("src/client/send.ts", ["--to", "bob", "--registry", proxy.url.href, "hi"]);
    expect(exitCode).toBe(0);
    expect(await bob.next()).toEqual(["ann", "hi"]);
  });
});

test("a name that is mistyped is told with the one that may be meant", async () => {
  const { user, send } = await openRegistry();
  await user("bob");
  const { exitCode, stderr } = await send(["--to", "bobb", "hello"]);
  expect(stderr).toBe("error: not delivered to bobb: the registry knows no such user; did you mean bob?\n");
  expect(exitCode).toBe(1);
});

describe("several --to", () => {
  test("get the text each, and the worst exit code counts", async () => {
    const { user, send } = await openRegistry();
    const bob = await user("bob");
    const carol = await user("carol", "UDP");
    const both = await send(["--to", "bob", "--to=carol", "--to", "bob", "hello"]);
    expect(both.exitCode).toBe(3);
    expect(both.stdout).toBe("delivered to bob\n");
    expect(await bob.next()).toEqual(["ann", "hello"]);
    expect(await carol.next()).toEqual(["ann", "hello"]);
    const three = await send(["--to", "bob,carol", "--to", "dave", "again"]);
    expect(three).toMatchObject({ exitCode: 1, stdout: "delivered to bob\n" });
    expect(three.stderr).toContain("error: not delivered to dave: the registry knows no such user\n");
    expect(await bob.next()).toEqual(["ann", "again"]);
  });

  test("are reported by --json, a line each, which no terminal obeys", async () => {
    const { user, put, send } = await openRegistry();
    await user("bob");
    await user("carol", "UDP");
    const mallory = createServer((socket) => socket.once("data", () => socket.end("\x1b[2J\u202e")));
    await new Promise<void>((done) => void mallory.listen(0, HOST, done));
    afterwards(() => mallory.close());
    const bound = mallory.address();
    await put("mallory", { protocol: "HTTP", host: HOST, port: Object(bound).port });
    const to = ["bob", "carol", "mallory", "nobody"].flatMap((name) => ["--to", name]);
    const { stdout, stderr, exitCode } = await send([...to, "--json", "hello"]);
    expect(stdout).not.toMatch(/[^\x20-\x7e\n]/);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { type: "delivered", to: "bob" },
      { type: "unknown", to: "carol", reason: expect.stringContaining("does not tell") },
      { type: "unknown", to: "mallory", reason: expect.stringContaining("it may have arrived") },
      { type: "failed", to: "nobody", reason: "the registry knows no such user" },
    ]);
    expect([stderr, exitCode]).toEqual(["", 1]);
  });
});

describe("what goes wrong is told on stderr:", () => {
  test("no registry", async () => {
    const url = `http://${HOST}:1`;
    expect(await run("src/client/send.ts", ["--to", "bob", "--registry", url, "hello"])).toEqual({
      stdout: "",
      stderr: `error: not delivered to bob: no registry at ${url} (connection refused); start one with: bun run registry --port 1\n`,
      exitCode: 1,
    });
  });

  test("a user who refuses", async () => {
    const { put, send } = await openRegistry();
    await put("bob", { protocol: "WEBSOCKET", host: HOST, port: 1 });
    expect(await send(["--to", "bob", "hello"])).toEqual({
      stdout: "",
      stderr: "error: not delivered to bob: connection refused\n",
      exitCode: 1,
    });
  });

  test("a user who hangs, of whom nobody can know", async () => {
    const { put, send } = await openRegistry();
    const tarpit = createServer();
    await new Promise<void>((done) => void tarpit.listen(0, HOST, done));
    afterwards(() => tarpit.close());
    const bound = tarpit.address();
    await put("bob", { protocol: "HTTP", host: HOST, port: Object(bound).port });
    expect(await send(["--to", "bob", "hello"])).toEqual({
      stdout: "",
      stderr: "maybe delivered to bob: no answer in 5 s; it may have arrived\n",
      exitCode: 3,
    });
  });

  test.each([
    [["hello"], "error: name a recipient: --to <user>[,<user>…]\n"],
    [["--to", "a b", "hello"], expect.stringMatching(/^error: --to must be 1 to 64 of the characters/)],
    [["--to"], "error: --to needs a value; see --help\n"],
    [["--to", "bob", "--too", "carol"], "error: unknown option --too; did you mean --to?\n"],
    [["--to", "bob", "--text", "hello"], "error: unknown option --text; see --help\n"],
    [["--to", "bob", "--name", "é", "hello"], expect.stringMatching(/^error: --name must be/)],
    [["--to", "bob"], 'error: there is no text; to send an empty one, pass ""\n'],
    [
      ["--to", "bob", "--name", "healthCheck", "x"],
      expect.stringMatching(/^error: --name must not be healthCheck/),
    ],
    [
      ["--to", "bob", "--registry", "ftp://here", "x"],
      expect.stringMatching(/^error: --registry must be a URL/),
    ],
  ])("the usage of %j, with exit code 2", async (args, stderr) => {
    expect(await run("src/client/send.ts", args)).toEqual({ stdout: "", stderr, exitCode: 2 });
  });
});
