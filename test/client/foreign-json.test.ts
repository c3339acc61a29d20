/** Registries and peers that answer with JSON of which no field is what it should be. */
import { expect, test } from "bun:test";
import { transports } from "../../src/client/transports/index.ts";
import { isRecord } from "../../src/core/schemas.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { start } from "../helpers/program.ts";

/** JSON that no conversion survives: to convert it is to call what is no function, or to run out of stack. */
const odd: Record<string, string> = {
  "an object that cannot be converted": '{"toString":null,"valueOf":null}',
  "a deep array": `${"[".repeat(5000)}1${"]".repeat(5000)}`,
  null: "null",
  true: "true",
};
const values = Object.entries(odd);

const BOB = '{"protocol":"HTTP","host":"127.0.0.1","port":9}';

/** A registry that answers with the texts it is given. */
function startRegistry({ list = "", reach = "", failure = "" }) {
  const users: Record<string, unknown> = {};
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith("/reach")) return new Response(reach);
      if (request.method === "GET" && failure !== "" && "alice" in users)
        return new Response(failure, { status: 500 });
      if (request.method === "GET" && pathname === "/v1/users/")
        return new Response(list === "" ? JSON.stringify(users) : list);
      if (request.method === "GET") return new Response("", { status: 404 });
      const body: unknown = request.method === "POST" ? await request.json() : {};
      if (isRecord(body) && typeof body.user === "string") users[body.user] = body.address;
      return Response.json({ status: "ok" });
    },
  });
  afterwards(() => server.stop(true));
  return server.url.href;
}

test.each(values)(
  "an entry of a list that is %s is left out, whichever field it is, by every command",
  async (_, value) => {
    const broken = ["protocol", "host", "port"].map((field) => {
      const rest = JSON.stringify({ protocol: "HTTP", host: "127.0.0.1", port: 9, [field]: undefined });
      return `"of-${field}":${rest.slice(0, -1)},"${field}":${value}}`;
    });
    const registry = startRegistry({ list: `{${broken.join()},"whole":${value},"bob":${BOB}}` });
    const users = start("src/client/users.ts", ["--registry", registry, "--json"]);
    expect(await users.exited).toBe(0);
    expect(users.lines).toEqual([`{"type":"users","users":{"bob":${BOB}}}`]);
    const send = start("src/client/send.ts", [
      "--registry",
      registry,
      "--name",
      "eve",
      "--to",
      "of-port",
      "hi",
    ]);
    expect(await send.exited).toBe(1);
    expect(send.lines).toEqual([expect.stringMatching(/^error: not delivered to of-port: /)]);
    const alice = start("src/client/main.ts", ["--registry", registry, "--name", "alice", "--port", "0"]);
    alice.endInput();
    expect(await alice.exited).toBe(0);
    expect(alice.lines).toContain("bob  http://127.0.0.1:9");
  },
);

test.each(
  values.flatMap(([what, value]) => [
    [`with a reason that is ${what}`, `{"reached":"no","reason":${value}}`],
    [`with a finding that is ${what}`, `{"reached":${value},"reason":"x"}`],
    [what, value],
  ]),
)("a client asks :reach of a registry that answers %s, and can be left", async (_, reach = "") => {
  const alice = start("src/client/main.ts", [
    ...["--registry", startRegistry({ reach }), "--name", "alice", "--port", "0"],
  ]);
  alice.type(":reach", ":exit");
  expect(await alice.exited).toBe(0);
  expect(alice.lines).toContain("error: this registry cannot tell whether it reaches you");
  expect(alice.lines.filter((line) => /TypeError|at /.test(line) && !line.startsWith("you are"))).toEqual([]);
});

test.each(values)(
  "an error of a registry whose message is %s is an error like any other",
  async (_, value) => {
    const registry = startRegistry({ failure: `{"status":"error","message":${value}}` });
    const alice = start("src/client/main.ts", ["--registry", registry, "--name", "alice", "--port", "0"]);
    alice.endInput();
    expect(await alice.exited).toBe(0);
    expect(alice.lines.join("\n")).toMatch(/error: the registry .*500/);
  },
);

// The deep array is longer than any answer that is read.
test.each(values.filter(([, value]) => value.length < 100))(
  "an error of a WebSocket peer whose message is %s is not delivered",
  async (_, value) => {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("", { status: 404 })),
      websocket: { message: (socket) => void socket.send(`{"status":"error","message":${value}}`) },
    });
    afterwards(() => server.stop(true));
    const sender = transports.WEBSOCKET.createSender();
    afterwards(sender.close);
    const address = { protocol: "WEBSOCKET", host: "127.0.0.1", port: server.port ?? 0 };
    expect(await sender.send(address, "{}")).toEqual({ type: "failed", reason: "it answered with an error" });
  },
);
