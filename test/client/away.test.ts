/** Texts to users who are away, and commands that send without selecting anybody. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { join as joinRegistry } from "../../src/client/index.ts";
import { createOutbox } from "../../src/client/outbound/outbox.ts";
import { decodeMessage } from "../../src/core/message.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { addPeer, openRegistry, put } from "../helpers/chat.ts";
import { createInbox } from "../helpers/inbox.ts";
import { freePort } from "../helpers/port.ts";
import { type Program, start, startRegistry } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";
import { run } from "../helpers/run.ts";
import { hangingPort } from "../helpers/tcp.ts";

const REFUSED = "connection refused; it waits until bob is back";

/** Bob, who comes and goes on one port of a host. */
async function createBob(registry: { url: string }, host = "127.0.0.1") {
  const inbox = createInbox<string>();
  const address = { protocol: "HTTP", host, port: freePort() };
  let server: Bun.Server<undefined> | undefined;
  const leave = async () => void (await server?.stop(true));
  afterwards(leave);
  return {
    inbox,
    address,
    leave,
    /** In the list, and nobody there. */
    register: () => put(registry, "bob", address),
    /** @param answer when it answers messages */
    async come(answer?: Promise<void>) {
      server = Bun.serve({
        hostname: host,
        port: address.port,
        async fetch(request) {
          if (request.method === "POST") {
            inbox.push(decodeMessage(await request.bytes()).text);
            await answer;
          }
          return Response.json({ status: "ok" });
        },
      });
      await put(registry, "bob", address);
    },
  };
}

async function startAlice(
  registry: { url: string },
  state = temporaryFolder(),
  ...args: string[]
): Promise<Program> {
  const often = args.includes("--poll-interval") ? [] : ["--poll-interval", "0.2"];
  const alice = start(
    "src/client/main.ts",
    ["--name", "alice", "--registry", registry.url, "--port", "0", ...often, ...args],
    { XDG_STATE_HOME: state },
  );
  await alice.sees(/\(you\)$|"users"/);
  return alice;
}

const DISK_BYTES = 400 * 1024;

const canMount =
  Bun.spawnSync(["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "none", "/mnt"])
    .exitCode === 0;
if (!canMount)
  process.stderr.write("skipped: what waits on a full disk, because nothing can be mounted here\n");

async function setUp(...args: string[]) {
  return setUpAt(await openRegistry(), ...args);
}

async function setUpAt(registry: { url: string }, ...args: string[]) {
  const bob = await createBob(registry);
  await bob.register();
  const state = temporaryFolder();
  return { registry, bob, state, alice: await startAlice(registry, state, ...args) };
}

async function remove(registry: { url: string }, user: string): Promise<void> {
  await fetch(`${registry.url}/v1/users/${user}`, { method: "DELETE" });
}

describe("a text to a user who is away", () => {
  test("waits, and leaves once the user is back, in order and before anything newer", async () => {
    const { alice, bob } = await setUp();
    alice.type(":user bob", "one", "two");
    await alice.sees(`error: not delivered to bob yet: ${REFUSED}`);
    await alice.sees(/^error: not delivered to bob yet/);
    alice.type("three");
    await alice.sees(/^error: not delivered to bob yet: queued behind earlier texts/);
    await bob.come();
    expect([await bob.inbox.next(), await bob.inbox.next(), await bob.inbox.next()]).toEqual([
      "one",
      "two",
      "three",
    ]);
    await alice.sees(/^bob is back: \d delivered$/);
    alice.type("four");
    expect(await bob.inbox.next()).toBe("four");
  });

  test("waits when its user has left, and leaves once the registry tells that the user is back", async () => {
    // Told by its events: the list is not asked for meanwhile.
    const { registry, alice, bob } = await setUp("--poll-interval", "3600");
    await bob.come();
    await bob.leave();
    await remove(registry, "bob");
    await alice.sees("bob left");
    alice.type(":to bob hello");
    await alice.sees(/^error: not delivered to bob yet: the registry knows no such user/);
    await bob.come();
    expect(await bob.inbox.next()).toBe("hello");
    await alice.sees("bob is back: 1 delivered");
  });

  test("waits across restarts, and is told when one leaves and when one comes", async () => {
    const { registry, alice, bob, state } = await setUp();
    alice.type(":to bob one", ":to bob two", ":exit");
    await alice.sees(/^2 texts for bob at 127\.0\.0\.1, since \d{4}-\d\d-\d\d \d\d:\d\d$/);
    expect(await alice.exited).toBe(0);
    const again = await startAlice(registry, state);
    await again.sees(/^2 texts for bob/);
    again.type(":waiting");
    await again.sees(/^2 texts for bob/);
    await again.sees(/^[\d-]+ [\d:]+ to bob: one \(waiting\)$/);
    await again.sees(/^[\d-]+ [\d:]+ to bob: two \(waiting\)$/);
    again.type(":drop carol");
    await again.sees("nothing waits for carol");
    await bob.come();
    expect([await bob.inbox.next(), await bob.inbox.next()]).toEqual(["one", "two"]);
    await again.sees("bob is back: 2 delivered");
    again.type(":waiting");
    await again.sees("nothing waits");
  });

  test("is not sent to another host, but offered to", async () => {
    const { registry, alice, bob } = await setUp();
    const elsewhere = await createBob(registry, "127.0.0.2");
    alice.type(":to bob secret");
    await alice.sees(/^error: not delivered to bob yet/);
    await elsewhere.come();
    await alice.sees(/^warning: bob is at 127\.0\.0\.2 now.* :again bob sends what waits$/);
    alice.type(":to bob newer");
    expect(await elsewhere.inbox.next()).toBe("newer");
    // Not even at the first host, because somebody else may have had the name.
    await bob.come();
    await alice.sees(/^warning: bob is at 127\.0\.0\.1 now.* :again bob sends what waits$/);
    alice.type(":again bob");
    expect(await bob.inbox.next()).toBe("secret");
    expect([bob.inbox.size(), elsewhere.inbox.size()]).toEqual([0, 0]);
  });

  test("does not follow the name to another host on its way", async () => {
    const registry = await openRegistry();
    const elsewhere = await createBob(registry, "127.0.0.2");
    await elsewhere.come();
    const listed = { protocol: "HTTP", host: "127.0.0.1", port: freePort() };
    const outbox = createOutbox(async () => elsewhere.address);
    afterwards(outbox.close);
    const body = (text: string) => JSON.stringify({ user: "alice", text });
    expect(await outbox.send("bob", listed, body("secret"), { sameHost: true })).toMatchObject({
      absent: true,
    });
    expect(await outbox.send("bob", listed, body("new"))).toEqual({ type: "delivered" });
    expect(await elsewhere.inbox.next()).toBe("new");
  });

  test("is refused beyond 1,000 of one user, and none of those is dropped", async () => {
    const { alice, bob } = await setUp();
    alice.type(...Array.from({ length: 1001 }, (_, i) => `:to bob ${i}`));
    await alice.sees(/^error: not delivered to bob: .*, and 1000 texts already wait for it$/);
    await bob.come();
    for (let i = 0; i < 1000; i++) expect(await bob.inbox.next()).toBe(String(i));
    expect(bob.inbox.size()).toBe(0);
  });

  test("can be forgotten", async () => {
    const { alice, bob } = await setUp();
    alice.type(":to bob one", ":to bob two");
    await alice.sees(/^error: not delivered to bob yet/);
    await alice.sees(/^error: not delivered to bob yet/);
    alice.type(":drop carol", ":drop bob", ":drop");
    await alice.sees("nothing waits for carol");
    await alice.sees("forgot 2 texts to bob");
    await alice.sees("nothing waits");
    await bob.come();
    alice.type(":to bob three");
    expect(await bob.inbox.next()).toBe("three");
  });

  test("does not wait where it may have arrived, or would be refused again", async () => {
    const registry = await openRegistry();
    const socket = await Bun.udpSocket({ hostname: "127.0.0.1", port: 0 });
    const refuses = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response("", { status: 500 }),
    });
    afterwards(() => socket.close());
    afterwards(() => refuses.stop(true));
    await put(registry, "sent", { protocol: "UDP", host: "127.0.0.1", port: socket.port });
    await put(registry, "refused", { protocol: "HTTP", host: "127.0.0.1", port: refuses.port });
    const alice = await startAlice(registry);
    alice.type(":to sent hello", ":to refused hello");
    await alice.sees("error: not delivered to refused: it answered 500");
    alice.type(":to nobody hello");
    await alice.sees(
      /^error: not delivered to nobody: the registry knows no such user, so your text does not wait$/,
    );
    alice.type(":waiting");
    await alice.sees("nothing waits");
  });

  test("is sent once, though two clients of one name run on one file", async () => {
    const { registry, alice, bob, state } = await setUpAt(await startRegistry("--open"));
    alice.type(...Array.from({ length: 50 }, (_, i) => `:to bob ${i}`));
    for (let i = 0; i < 50; i++) await alice.sees(/^error: not delivered to bob yet/);
    // Else it would register again at once.
    alice.kill("SIGSTOP");
    await remove(registry, "alice");
    const other = await startAlice(registry, state);
    alice.kill("SIGCONT");
    await other.sees(/^50 texts for bob/);
    await bob.come();
    for (let i = 0; i < 50; i++) expect(await bob.inbox.next()).toBe(String(i));
    for (const one of [alice, other]) {
      do one.type(":waiting");
      while ((await one.sees(/^nothing waits$|^\d+ texts? for bob at \S+, since/)) !== "nothing waits");
    }
    expect(bob.inbox.size()).toBe(0);
  });

  test("waits in memory alone with --no-transcript, which keeps nothing at all", async () => {
    const { alice, bob, state } = await setUp("--no-transcript");
    alice.type(":to bob one");
    await alice.sees(/^error: not delivered to bob yet/);
    await bob.come();
    expect(await bob.inbox.next()).toBe("one");
    await bob.leave();
    await alice.sees(/^bob is back/);
    alice.type(":to bob two");
    await alice.sees(/^error: not delivered to bob yet/);
    alice.type(":exit");
    await alice.sees("they are lost when you leave, because nothing is kept");
    await alice.exited;
    const folder = join(state, "talk");
    expect(existsSync(folder) ? readdirSync(folder).filter((file) => file !== "key") : []).toEqual([]);
  });

  test.skipIf(!canMount)(
    "stays where it waits while the disk is full, and leaves once, with room",
    async () => {
      const registry = await openRegistry();
      const bob = await createBob(registry);
      await bob.register();
      const state = temporaryFolder();
      const mount = `mount -t tmpfs -o size=${DISK_BYTES} none "$0"; exec "$@"`;
      const alice = start(
        "src/client/main.ts",
        ["--name", "alice", "--registry", registry.url, "--port", "0", "--json", "--poll-interval", "0.2"],
        { XDG_STATE_HOME: state },
        ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, state],
      );
      await alice.sees(/"users"/);
      for (const text of ["one", "two", "three"]) {
        alice.type(JSON.stringify({ to: "bob", text }));
        await alice.sees(/"waiting"/);
      }
      const filler = join(`/proc/${alice.pid}/root`, state, "filler");
      expect(() => writeFileSync(filler, Buffer.alloc(DISK_BYTES))).toThrow("ENOSPC");
      await bob.come();
      await alice.sees(/waiting texts stay in .* until it can be written: the disk is full/);
      alice.type(":waiting");
      expect(JSON.parse(await alice.sees(/"waits"/)).users.bob).toMatchObject({ texts: 3 });
      expect(bob.inbox.size()).toBe(0);
      rmSync(filler);
      for (const text of ["one", "two", "three"]) expect(await bob.inbox.next()).toBe(text);
      await alice.sees(/"delivered".*"three"/);
      alice.type(":waiting");
      expect(JSON.parse(await alice.sees(/"waits"/)).users).toEqual({});
      expect(bob.inbox.size()).toBe(0);
    },
  );

  test("is not sent again if one left before its user had answered, for it may have arrived", async () => {
    const { registry, alice, bob, state } = await setUp();
    alice.type(":to bob one", ":to bob two");
    await alice.sees(/^error: not delivered to bob yet/);
    await alice.sees(/^error: not delivered to bob yet/);
    const answer = Promise.withResolvers<void>();
    await bob.come(answer.promise);
    expect(await bob.inbox.next()).toBe("one");
    alice.type(":exit");
    await alice.sees(/^error: no answer from bob in [\d.]+ s; it may have arrived$/);
    await alice.sees(/^1 text for bob/);
    expect(await alice.exited).toBe(0);
    answer.resolve();
    await startAlice(registry, state);
    expect(await bob.inbox.next()).toBe("two");
    expect(bob.inbox.size()).toBe(0);
  });

  test("is told to programs as waiting, and then as delivered", async () => {
    const { alice, bob } = await setUp("--json");
    alice.type('{"to":"bob","text":"hello"}');
    expect(JSON.parse(await alice.sees(/"waiting"/))).toEqual({
      type: "waiting",
      to: "bob",
      text: "hello",
      reason: "connection refused",
    });
    alice.type(":waiting");
    expect(JSON.parse(await alice.sees(/"waits"/))).toEqual({
      type: "waits",
      users: { bob: { texts: 1, since: expect.stringMatching(/Z$/) } },
    });
    await bob.come();
    expect(JSON.parse(await alice.sees(/"delivered"/))).toEqual({
      type: "delivered",
      to: "bob",
      text: "hello",
    });
  });
});

describe("a text to several users", () => {
  test("has one line of result", async () => {
    const { registry, alice, bob } = await setUp();
    const refuses = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response("", { status: 500 }),
    });
    afterwards(() => refuses.stop(true));
    await put(registry, "carol", { protocol: "HTTP", host: "127.0.0.1", port: refuses.port });
    const socket = await Bun.udpSocket({ hostname: "127.0.0.1", port: 0 });
    afterwards(() => socket.close());
    await put(registry, "dave", { protocol: "UDP", host: "127.0.0.1", port: socket.port });
    alice.type(":all too early");
    await alice.sees("carol joined");
    await alice.sees("dave joined");
    alice.type(":all hello");
    await alice.sees("to 3 users: 1 sent, 1 failed (carol: it answered 500), 1 waits (bob)");
    await alice.sees("error: not delivered to carol: it answered 500");
    await bob.come();
    expect(await bob.inbox.next()).toBe("too early");
    expect(await bob.inbox.next()).toBe("hello");
    await alice.sees("bob is back: 2 delivered");
    alice.type(":to bob,dave,bob again");
    await alice.sees("to 2 users: 1 delivered, 1 sent");
    expect(await bob.inbox.next()).toBe("again");
    alice.type(":to", ":to bob", ":all", `:all ${"x".repeat(64_000)}`);
    await alice.sees("error: usage: :to <user>[,<user>…] <text>");
    await alice.sees("error: usage: :to <user>[,<user>…] <text>");
    await alice.sees("error: usage: :all <text>");
    await alice.sees(/^error: The message is too large/);
  });
});

test("hundreds of silent users keep neither a text from one who is there nor the registry from answering", async () => {
  const registry = await openRegistry();
  const silent = { protocol: "HTTP", host: "127.0.0.1", port: await hangingPort() };
  await Promise.all(Array.from({ length: 300 }, (_, i) => put(registry, `silent-${i}`, silent)));
  const { inbox } = await addPeer(registry, "zoe");
  const alice = await startAlice(registry, temporaryFolder(), "--poll-interval", "3600");
  await alice.sees(/^zoe /);
  alice.type(":all hello", ":update");
  await alice.sees(/^zoe /);
  expect(alice.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  expect(await inbox.next()).toBe("hello");
  await alice.sees(/^to 301 users: 1 delivered, 300 unknown/);
}, 30_000);

describe("send --wait", () => {
  test("waits for a user who comes", async () => {
    const registry = await openRegistry();
    const bob = await createBob(registry);
    const sending = run("src/client/send.ts", [
      ...["--registry", registry.url, "--to", "bob", "--wait", "30", "hello"],
    ]);
    await bob.register();
    await bob.come();
    expect(await bob.inbox.next()).toBe("hello");
    expect(await sending).toMatchObject({ stdout: "delivered to bob\n", exitCode: 0 });
  });

  test("fails after its time, and refuses a time that is none", async () => {
    const registry = await openRegistry();
    const to = ["--registry", registry.url, "--to", "bob"];
    expect(await run("src/client/send.ts", [...to, "--wait", "0.3", "hello"])).toMatchObject({
      stderr: "error: not delivered to bob: the registry knows no such user, after 0.3 s of waiting\n",
      exitCode: 1,
    });
    expect(await run("src/client/send.ts", [...to, "--wait", "soon", "hello"])).toMatchObject({
      exitCode: 2,
    });
  });
});

describe("join", () => {
  async function joined() {
    const registry = await openRegistry();
    const bob = await createBob(registry);
    await bob.register();
    const alice = await joinRegistry({
      name: "alice",
      registry: registry.url,
      port: 0,
      pollInterval: 200,
    });
    afterwards(() => alice.close());
    return { alice, bob };
  }

  test("sends a text once its user is back, if it is told to wait", async () => {
    const { alice, bob } = await joined();
    expect(await alice.send("bob", "now")).toEqual({ type: "failed", reason: "connection refused" });
    const later = alice.send("bob", "later", { wait: true });
    for await (const event of alice) if (event.type === "waiting") break;
    await bob.come();
    expect(await bob.inbox.next()).toBe("later");
    expect(await later).toEqual({ type: "delivered" });
  });

  test("has failed to send what still waits when it closes", async () => {
    const { alice } = await joined();
    const later = alice.send("bob", "later", { wait: true });
    for await (const event of alice) if (event.type === "waiting") break;
    await alice.close();
    expect(await later).toEqual({ type: "failed", reason: "you have left" });
  });
});

test("a message to a user who has just left the list does not overtake one that is under way to it", async () => {
  const { address, come, inbox } = await createBob(await startRegistry());
  await come();
  const outbox = createOutbox(async () => address);
  afterwards(outbox.close);
  const body = (text: string) => JSON.stringify({ user: "alice", text });
  const outcomes = [
    outbox.send("bob", { ...address, port: freePort() }, body("one")),
    outbox.send("bob", undefined, body("two")),
    outbox.send("bob", address, body("three")),
  ];
  expect(await Promise.all(outcomes)).toEqual(Array(3).fill({ type: "delivered" }));
  expect([await inbox.next(), await inbox.next(), await inbox.next()]).toEqual(["one", "two", "three"]);
});
