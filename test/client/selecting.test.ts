/** Who gets the lines behind a `:user` that fails. */
import { expect, test } from "bun:test";
import { createApp } from "../../src/registry/http/app.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { addPeer, ENTER } from "../helpers/chat.ts";
import { start } from "../helpers/program.ts";
import { openTestStore } from "../helpers/registry.ts";
import { inTerminal, openClient } from "../helpers/screen.ts";

/** A registry without a stream, which also lists a fax, and whose lists can be held back or broken. */
async function openRegistry() {
  const app = createApp({ store: await openTestStore("memory:") });
  let list: (request: Request) => Promise<Response> = answer;

  async function answer(request: Request): Promise<Response> {
    const users: unknown = await (await app.handle(request)).json();
    return Response.json({ ...Object(users), fax: { protocol: "FAX", host: "127.0.0.1", port: 9 } });
  }

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/events") return new Response("", { status: 404 });
      return request.method === "GET" && pathname === "/v1/users/" ? list(request) : app.handle(request);
    },
  });
  afterwards(() => server.stop(true));
  return {
    url: server.url.href,
    /** Answers no list from now on, until it is told to. */
    hold() {
      const asked = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      list = async (request) => {
        asked.resolve();
        await goOn.promise;
        return answer(request);
      };
      return { asked: asked.promise, goOn: goOn.resolve };
    },
    breakList() {
      list = async () => Response.json({ status: "error", message: "no" }, { status: 503 });
    },
  };
}

const failing = [":user carol", ":user fax", ":user", ":reply", ":reply carol", ":usre carol", "/user carol"];

test.each(
  failing.flatMap((line) => [
    [line, ""],
    [line, "--json"],
  ]),
)("in a pipe a text behind %s goes to nobody, until somebody is selected again %s", async (line, flags) => {
  const registry = await openRegistry();
  const { inbox } = await addPeer(registry, "bob");
  const alice = startAlice(registry, flags);
  alice.type(":user bob", "for bob", line, "secret", ":again", ":user bob", "for bob again");
  alice.endInput();
  await alice.exited;
  expect([await inbox.next(), await inbox.next(), inbox.size()]).toEqual(["for bob", "for bob again", 0]);
  const told = alice.lines.join("\n");
  expect(told).toContain("(nobody is selected now)");
  expect(told).toContain("nobody is selected; choose with :user <user>");
});

test.each(["", "--json"])(
  "in a pipe a text behind a :user that the registry cannot answer goes to nobody %s",
  async (flags) => {
    const registry = await openRegistry();
    const { inbox } = await addPeer(registry, "bob");
    const alice = startAlice(registry, flags);
    alice.type(":user bob");
    await alice.sees(/your messages go to bob|"selected"/);
    registry.breakList();
    alice.type(":user carol", "secret", '{"to":"bob","text":"for bob"}', ":to bob for bob");
    alice.endInput();
    await alice.exited;
    expect(await inbox.next()).toBe("for bob");
    expect(inbox.size()).toBe(flags === "" ? 0 : 1);
  },
);

function startAlice({ url }: { url: string }, flags: string) {
  const args = ["--name", "alice", "--port", "0", "--registry", url];
  return start("src/client/main.ts", flags === "" ? args : [...args, flags]);
}

inTerminal("at a prompt, after a :user that failed,", () => {
  test("what was typed before is not sent, and what is typed behind it goes to who is still selected", async () => {
    const registry = await openRegistry();
    const { inbox } = await addPeer(registry, "bob");
    const alice = await openClient("alice", registry, [], { columns: 200 });
    alice.type(`:user bob${ENTER}`);
    await alice.contains("bob> ");
    const held = registry.hold();
    alice.type(`:user carol${ENTER}secret${ENTER}:again${ENTER}secret, too${ENTER}`);
    await held.asked;
    held.goOn();
    await alice.contains("no such user: carol; :update lists them all (your messages still go to bob)");
    await alice.contains("not sent to bob, because it was typed before the last error");
    await alice.contains('then :again sends "secret, too"');
    alice.type(`hello${ENTER}`);
    expect(await inbox.next()).toBe("hello");
    await alice.contains("to bob: hello ✓");
    expect(inbox.size()).toBe(0);
  });

  test("what was typed behind one that succeeded goes to that user", async () => {
    const registry = await openRegistry();
    const bob = await addPeer(registry, "bob");
    const dave = await addPeer(registry, "dave");
    const alice = await openClient("alice", registry);
    alice.type(`:user bob${ENTER}`);
    await alice.contains("bob> ");
    const held = registry.hold();
    alice.type(`:user carol${ENTER}:user dave${ENTER}hello${ENTER}`);
    await held.asked;
    held.goOn();
    expect(await dave.inbox.next()).toBe("hello");
    expect(bob.inbox.size()).toBe(0);
  });
});
