/** `--json` and `--on-message`, as a program that starts the client meets them. */
import { describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join as path } from "node:path";
import { createHandler } from "../../src/client/inbound/on-message.ts";
import { readLines } from "../../src/client/read-lines.ts";
import { isRecord } from "../../src/core/schemas.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { listed, type Program, root, start, startClient, startRegistry } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

type Registry = Awaited<ReturnType<typeof startRegistry>>;

function startJson(name: string, { url }: Registry, ...args: string[]): Program {
  return start("src/client/main.ts", ["--json", "--name", name, "--registry", url, "--port", "0", ...args]);
}

/** The next event of a type. */
async function event(program: Program, type: string): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse(await program.sees(new RegExp(`^{"type":"${type}"`)));
  return isRecord(value) ? value : {};
}

async function put({ url }: Registry, user: string, address: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  await fetch(`${url}/v1/users/${user}`, { method: "PUT", headers, body: JSON.stringify(address) });
}

async function addressOf(registry: Registry, user: string): Promise<unknown> {
  return (await listed(registry))[user];
}

describe("--json", () => {
  test("begins with who one is and who is there", async () => {
    const registry = await startRegistry();
    const alice = startJson("alice", registry);
    const { address } = await event(alice, "welcome");
    expect(address).toEqual(await addressOf(registry, "alice"));
    expect(await event(alice, "users")).toEqual({ type: "users", users: { alice: address } });
    expect(alice.lines).toHaveLength(2);
  });

  test("writes a message as one line that no terminal obeys, with the time in ISO 8601", async () => {
    const registry = await startRegistry();
    const alice = startJson("alice", registry);
    await event(alice, "users");
    const text = 'one\nmallory: two\r\n\x1b[2J\x9b\u202e\u200b\u2028 "quoted" \\ é';
    const { url } = registry;
    const sent = Bun.spawn(
      [
        process.execPath,
        `${root}/src/client/send.ts`,
        "--registry",
        url,
        "--name",
        "bob",
        "--to",
        "alice",
        text,
      ],
      { stdout: "ignore" },
    );
    expect(await sent.exited).toBe(0);
    const line = await alice.sees(/^{"type":"message"/);
    expect(line).toMatch(/^[\x20-\x7eé]*$/);
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(JSON.parse(line)).toEqual({ type: "message", user: "bob", text, at });
  });

  test("tells who joined, moved and left, and when the registry goes and is back", async () => {
    const registry = await startRegistry("--open");
    const alice = startJson("alice", registry, "--poll-interval", "0.1");
    await event(alice, "users");
    const address = { protocol: "UDP", host: "10.0.0.5", port: 3000 };
    await put(registry, "bob", address);
    expect(await event(alice, "joined")).toEqual({ type: "joined", user: "bob", address });
    await put(registry, "bob", { ...address, port: 3001 });
    expect(await event(alice, "moved")).toEqual({
      type: "moved",
      user: "bob",
      address: { ...address, port: 3001 },
    });
    await fetch(`${registry.url}/v1/users/bob`, { method: "DELETE" });
    const last = { ...address, port: 3001 };
    expect(await event(alice, "left")).toEqual({ type: "left", user: "bob", address: last });
    await put(registry, "alice", address);
    expect(await event(alice, "displaced")).toEqual({ type: "displaced", address });
    registry.kill("SIGTERM");
    await registry.exited;
    expect(await event(alice, "registry")).toEqual({ type: "registry", up: false });
    const { port } = new URL(registry.url);
    start("src/registry/main.ts", ["--store", "memory:", "--port", port]);
    expect(await event(alice, "registry")).toEqual({ type: "registry", up: true });
  });

  test("tells of each text whether it was delivered, and why not", async () => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry);
    await startClient("carol", registry, "--protocol", "UDP");
    await put(registry, "dave", { protocol: "HTTP", host: "127.0.0.1", port: 1 });
    const alice = startJson("alice", registry);
    await event(alice, "users");
    const write = (to: string, text: string) => alice.type(JSON.stringify({ to, text }));
    const text = "two\nlines";
    write("bob", text);
    expect(await event(alice, "delivered")).toEqual({ type: "delivered", to: "bob", text });
    await bob.sees("alice: two\\nlines");
    write("carol", text);
    const reason = "sent; its protocol does not tell whether it arrived";
    expect(await event(alice, "unknown")).toEqual({ type: "unknown", to: "carol", text, reason });
    write("dave", text);
    const refused = { type: "waiting", to: "dave", text, reason: "connection refused" };
    expect(await event(alice, "waiting")).toEqual(refused);
    write("nobody", text);
    const unknown = expect.stringMatching(/^the registry knows no such user, so your text does not wait$/);
    expect(await event(alice, "failed")).toEqual({ type: "failed", to: "nobody", text, reason: unknown });
    write("bob", "x".repeat(64_000));
    expect(await event(alice, "failed")).toMatchObject({
      to: "bob",
      reason: expect.stringMatching(/too large/),
    });
    await startClient("eve", registry);
    write("eve", "who came since");
    expect(await event(alice, "delivered")).toMatchObject({ to: "eve" });
  });

  test("takes plain commands and texts too", async () => {
    const registry = await startRegistry();
    const bob = await startClient("bob", registry);
    const alice = startJson("alice", registry);
    await event(alice, "users");
    alice.type("hello", ":user bob", "hello", ":update");
    expect(await event(alice, "error")).toMatchObject({
      reason: expect.stringMatching(/^nobody is selected/),
    });
    const address = await addressOf(registry, "bob");
    expect(await event(alice, "selected")).toEqual({ type: "selected", user: "bob", address });
    await bob.sees("alice: hello");
    expect(await event(alice, "users")).toMatchObject({ users: { bob: address } });
    alice.type(":help", "{not json", '{"to":"bob"}', ":user nobody");
    const { commands } = await event(alice, "help");
    expect(commands).toMatchObject({ ":exit": expect.any(String) });
    for (const reason of [/^a line that starts with {/, /^a line that starts with {/, /^no such user/]) {
      expect(await event(alice, "error")).toMatchObject({ reason: expect.stringMatching(reason) });
    }
    alice.type(":exit");
    expect(await alice.exited).toBe(0);
    for (const line of alice.lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  test.each([[[]], [["--json"]]])(
    "a closed output, as of `| head -1`, ends it cleanly: unregistered, exit code 0 (%j)",
    async (args) => {
      const registry = await startRegistry();
      const client = `bun run client ${args.join(" ")} --name alice --port 0 --poll-interval 0.1 --registry ${registry.url}`;
      const command = `(${client}; echo "exit code $?" >&2) | head -1`;
      const pipe = Bun.spawn(["sh", "-c", command], {
        cwd: root,
        env: process.env,
        stdin: "pipe",
        stdout: "pipe",
        stderr: "pipe",
      });
      afterwards(() => pipe.stdin.end());
      expect((await readLines(pipe.stdout).next()).value).toContain("alice");
      // The list may have been on its way already when the pipe was closed; news are not.
      const bob = { protocol: "UDP", host: "127.0.0.1", port: 9 };
      await put(registry, "bob", bob);
      const { value } = await pipe.stderr.getReader().read();
      expect(Buffer.from(value ?? []).toString()).toBe("exit code 0\n");
      expect(await listed(registry)).toEqual({ bob });
    },
  );
});

describe("--on-message", () => {
  /** An executable script that runs in a folder of its own. */
  async function script(body: string): Promise<{ program: string; folder: string }> {
    const folder = temporaryFolder();
    const program = path(folder, "answer it");
    await Bun.write(program, `#!/bin/sh\ncd '${folder}'\n${body}\n`);
    chmodSync(program, 0o755);
    return { program, folder };
  }

  async function sendAll(registry: Registry, texts: string[]): Promise<void> {
    const alice = startJson("alice", registry);
    await event(alice, "users");
    for (const text of texts) alice.type(JSON.stringify({ to: "bob", text }));
    for (const _ of texts) await event(alice, "delivered");
    alice.type(":exit");
    await alice.exited;
  }

  test("is told when more than 4 MB of messages wait for it, and the next are not kept", async () => {
    const { program } = await script("exec tail -f /dev/null");
    const troubles: string[] = [];
    const handler = createHandler({ program, me: "bob", onTrouble: (sentence) => troubles.push(sentence) });
    afterwards(handler.kill);
    // Four run, and 70 wait.
    for (let i = 0; i < 75; i++) handler.handle({ user: "alice", text: "x".repeat(60_000) });
    expect(troubles).toEqual([`${program} is not run on a message from alice, because 70 others wait`]);
  });

  test.each([
    ["60,000 bytes", "名".repeat(20_000)],
    ["newlines", "\n\none\r\ntwo\n"],
    ["what a shell would obey", "$(touch pwned) `touch pwned` ; touch pwned | \"'\\ $HOME && *"],
    ["nothing", ""],
    ["a NUL and controls", "a\0b\x1b[2J"],
  ])("gets a text of %s byte for byte", async (_, text) => {
    const registry = await startRegistry();
    const { program, folder } = await script(
      'cat >text && printf %s "$TALK_USER $TALK_ME $TALK_AT" >who && echo done',
    );
    const bob = await startClient("bob", registry, "--on-message", program);
    await sendAll(registry, [text]);
    await bob.sees("done");
    expect(await Bun.file(path(folder, "text")).bytes()).toEqual(new Uint8Array(Buffer.from(text)));
    expect(await Bun.file(path(folder, "who")).text()).toMatch(/^alice bob \d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(await Bun.file(path(folder, "pwned")).exists()).toBe(false);
  });

  test("is run in the order of the messages, four at once at most, and for each", async () => {
    const registry = await startRegistry();
    // Each waits until somebody opens the gate, so that nobody is done before the fifth could have begun.
    const { program, folder } = await script(
      'text=$(cat); echo "begin $text"; until [ -e gate ] || ! [ -e answer* ]; do sleep 0.02; done; echo "end $text"',
    );
    const bob = await startClient("bob", registry, "--on-message", program);
    const texts = Array.from({ length: 12 }, (_, i) => String(i));
    await sendAll(registry, texts);
    for (const _ of [1, 2, 3, 4]) await bob.sees(/^begin \d+$/);
    expect(bob.lines.filter((line) => line.startsWith("begin")).sort()).toEqual([
      "begin 0",
      "begin 1",
      "begin 2",
      "begin 3",
    ]);
    await Bun.write(path(folder, "gate"), "");
    for (const _ of texts) await bob.sees(/^end \d+$/);
    expect(bob.lines.filter((line) => line.startsWith("begin"))).toHaveLength(12);
  });

  test("that fails, or does not read, is told of, and the chat goes on", async () => {
    const registry = await startRegistry();
    const { program } = await script("exec <&-; exit 3");
    const bob = await startClient("bob", registry, "--on-message", program);
    await sendAll(registry, ["x".repeat(60_000), "again"]);
    await bob.sees(`error: ${program} exited with code 3 on a message from alice`);
    bob.type(":exit");
    expect(await bob.exited).toBe(0);
  });

  test("that is gone is told of, and the chat goes on", async () => {
    const registry = await startRegistry();
    const { program } = await script("rm 'answer it'; echo removed");
    const bob = await startClient("bob", registry, "--on-message", program);
    await sendAll(registry, ["one"]);
    await bob.sees("removed");
    await sendAll(registry, ["two"]);
    await bob.sees(`error: ${program} cannot be run: ENOENT`);
    bob.type(":exit");
    expect(await bob.exited).toBe(0);
  });

  test("that never ends does not keep the client from ending", async () => {
    const registry = await startRegistry();
    const { program } = await script("echo begun $$; exec sleep 600");
    const bob = await startClient("bob", registry, "--on-message", program);
    await sendAll(registry, ["hello"]);
    const begun = await bob.sees(/^begun/);
    bob.kill("SIGTERM");
    expect(await bob.exited).toBe(0);
    while (isRunning(Number(begun.slice(6)))) await new Promise(setImmediate);
    expect(await listed(registry)).toEqual({});
  });

  test("leaves --json's output pure: what it prints goes to standard error", async () => {
    const registry = await startRegistry();
    const { program } = await script("echo chatter");
    const client = `bun run client --json --on-message '${program}' --name bob --port 0 --registry ${registry.url}`;
    const bob = Bun.spawn(["sh", "-c", client], {
      cwd: root,
      env: process.env,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    afterwards(() => bob.kill("SIGKILL"));
    bob.stdin.write('{"to":"bob","text":"to myself"}\n');
    bob.stdin.flush();
    const { value } = await bob.stderr.getReader().read();
    expect(Buffer.from(value ?? []).toString()).toBe("chatter\n");
    bob.stdin.end();
    const lines = (await new Response(bob.stdout).text()).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).type).sort()).toEqual([
      "delivered",
      "message",
      "users",
      "welcome",
    ]);
  });

  test.each(["/nowhere/answer", "no-such-program-anywhere"])("%s is a wrong flag", async (program) => {
    const client = start("src/client/main.ts", ["--on-message", program]);
    expect(await client.exited).toBe(2);
    expect(client.lines).toEqual([
      "error: --on-message must be a program that can be run: a path, or a name in $PATH",
    ]);
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
