/** A registry that is slow or away, and what must not wait for it. */
import { expect, test } from "bun:test";
import { afterwards } from "../helpers/afterwards.ts";
import { createInbox } from "../helpers/inbox.ts";
import { start } from "../helpers/program.ts";

/** A client, and a registry that takes it once, lists bob alone, and then leaves unanswered what is held up. */
async function startLost({
  flags = [],
  holdUp = () => false,
  answer = Promise.withResolvers<void>(),
}: {
  flags?: string[];
  holdUp?: (method: string, path: string) => boolean;
  /** When what was held up is answered. @default never */
  answer?: { promise: Promise<void> };
} = {}) {
  const inbox = createInbox<unknown>();
  const peer = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      inbox.push(await request.json());
      return Response.json({ status: "ok" });
    },
  });
  afterwards(() => peer.stop(true));
  let users: Record<string, unknown> = {};
  const asked = createInbox<string>();
  const registry = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch({ method, url }) {
      const { pathname } = new URL(url);
      if (pathname === "/v1/health") return Response.json({ status: "ok" });
      asked.push(method);
      if (users.bob && holdUp(method, pathname)) await answer.promise;
      return method === "GET" ? Response.json(users) : Response.json({ status: "ok" });
    },
  });
  afterwards(() => registry.stop(true));
  const own = ["--name", "alice", "--port", "0", "--registry", registry.url.href];
  const client = start("src/client/main.ts", [...own, ...flags]);
  // Registered, and registered again because the list is empty.
  for (const method of ["POST", "GET", "POST"]) expect(await asked.next()).toBe(method);
  users = { bob: { protocol: "HTTP", host: "127.0.0.1", port: peer.port } };
  return { client, registry, inbox };
}

test("a registry that does not answer when one registers again delays neither an answer nor the next line", async () => {
  const { client, inbox } = await startLost({ holdUp: (method) => method === "POST" });
  client.type(":user bob", "hello", ":help");
  await client.sees(/^your messages go to bob/);
  expect(await inbox.next()).toEqual({ user: "alice", text: "hello" });
  await client.sees(/^:help/);
});

test("a list that does not come delays no other line", async () => {
  let held = false;
  const { client, inbox } = await startLost({ holdUp: (method) => held && method === "GET" });
  client.type(":user bob");
  await client.sees(/^your messages go to bob/);
  held = true;
  client.type(":update", "hello");
  expect(await inbox.next()).toEqual({ user: "alice", text: "hello" });
});

test.each([":update", ":user carol"])(
  "with --json an outage that %s meets first is told as one",
  async (command) => {
    const { client, registry } = await startLost({ flags: ["--json"] });
    await registry.stop(true);
    client.type(command);
    await client.sees('{"type":"registry","up":false}');
    await client.sees(/^\{"type":"error","reason":"no registry at /);
  },
);

test("with --json an outage that a text to an unknown user meets first is told as one", async () => {
  const { client, registry } = await startLost({ flags: ["--json"] });
  await registry.stop(true);
  client.type('{"to":"carol","text":"hi"}');
  await client.sees('{"type":"registry","up":false}');
  await client.sees(/^\{"type":"failed","to":"carol"/);
});

test("a user who is looked up holds up the text behind :user, and no :help", async () => {
  let held = false;
  const answer = Promise.withResolvers<void>();
  const { client, inbox } = await startLost({ holdUp: (method) => held && method === "GET", answer });
  held = true;
  client.type(":user carol", ":help");
  await client.sees(/^:help/);
  client.type("nobody gets this", ":user bob", "hello");
  held = false;
  answer.resolve();
  await client.sees(/^error: no such user: carol/);
  await client.sees(/^error: nobody is selected/);
  expect(await inbox.next()).toEqual({ user: "alice", text: "hello" });
});

test(":reach holds up no line, and :exit waits for its answer", async () => {
  const answer = Promise.withResolvers<void>();
  const { client } = await startLost({ holdUp: (_, path) => path.endsWith("/reach"), answer });
  client.type(":reach", ":help", ":exit");
  await client.sees(/^:help/);
  answer.resolve();
  await client.sees("error: this registry cannot tell whether it reaches you");
  expect(await client.exited).toBe(0);
});
