/** `talk users`, as people and scripts start it. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { createRegistry } from "../../src/registry/index.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { freePort } from "../helpers/port.ts";
import { root, start } from "../helpers/program.ts";
import { run } from "../helpers/run.ts";
import { openScreen, setsid } from "../helpers/screen.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };
const USERS = "src/client/users.ts";

async function startRegistry(port = 0) {
  const registry = await createRegistry({ store: "memory:" });
  afterwards(() => registry.close());
  const url = await registry.listen({ port });
  return {
    url,
    close: () => registry.close(),
    put: (user: string, address: object = HERE) =>
      fetch(`${url}/v1/users/${user}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(address),
      }),
    remove: (user: string) => fetch(`${url}/v1/users/${user}`, { method: "DELETE" }),
  };
}

test("shows who is here, sorted by name, and ends", async () => {
  const { url, put } = await startRegistry();
  await put("carol");
  await put("bob", { protocol: "UDP", host: "fd00::7", port: 3000 });
  expect(await run(USERS, ["--registry", url])).toEqual({
    stdout: "bob  udp://[fd00::7]:3000\ncarol  http://127.0.0.1:8080\n",
    stderr: "",
    exitCode: 0,
  });
});

test.skipIf(!setsid)("in a terminal aligns the list, and --watch tells when somebody came", async () => {
  const { url, put } = await startRegistry();
  await put("carol");
  await put("bo", { protocol: "UDP", host: "fd00::7", port: 3000 });
  const screen = openScreen([process.execPath, join(root, USERS), "--registry", url, "--watch"]);
  await screen.shows("  bo     UDP   [fd00::7]:3000\n  carol  HTTP  127.0.0.1:8080\n▏");
  await put("dave");
  await screen.until(
    (rows) => /^\d\d:\d\d dave joined$/.test(rows.at(-2) ?? rows.at(-1) ?? ""),
    "a time before dave joined",
  );
});

test("shows nothing where nobody is, and with --json an empty list", async () => {
  const { url } = await startRegistry();
  expect((await run(USERS, ["--registry", url])).stdout).toBe("");
  expect((await run(USERS, ["--registry", url, "--json"])).stdout).toBe('{"type":"users","users":{}}\n');
});

test("writes the list as one line of JSON", async () => {
  const { url, put } = await startRegistry();
  for (const user of ["__proto__", "bob"]) await put(user);
  const { stdout } = await run(USERS, ["--registry", url, "--json"]);
  expect(stdout).toBe(
    `{"type":"users","users":{"__proto__":${JSON.stringify(HERE)},"bob":${JSON.stringify(HERE)}}}\n`,
  );
});

test("says on stderr that there is no registry, and exits 1", async () => {
  const url = `http://127.0.0.1:${freePort()}`;
  const { stdout, stderr, exitCode } = await run(USERS, ["--registry", url, "--watch"]);
  expect([stdout, stderr, exitCode]).toEqual(["", expect.stringMatching(/^error: no registry at .*\n$/), 1]);
});

test("with --watch tells at once who joins, moves and leaves, until a signal ends it with 0", async () => {
  const { url, put, remove } = await startRegistry();
  await put("bob");
  const text = start(USERS, ["--registry", url, "--watch"]);
  const json = start(USERS, ["--registry", url, "--watch", "--json"]);
  await text.sees("bob  http://127.0.0.1:8080");
  await json.sees(/"type":"users"/);
  await put("carol");
  await text.sees("carol joined");
  expect(JSON.parse(await json.sees(/carol/))).toEqual({ type: "joined", user: "carol", address: HERE });
  await put("carol", { ...HERE, port: 1 });
  await text.sees("carol moved");
  await remove("bob");
  await text.sees("bob left");
  await json.sees(/"type":"left"/);
  for (const program of [text, json]) {
    program.kill("SIGTERM");
    expect(await program.exited).toBe(0);
  }
  expect(text.lines).toEqual(["bob  http://127.0.0.1:8080", "carol joined", "carol moved", "bob left"]);
});

test("with --watch says when the registry goes, and goes on when it is back", async () => {
  const port = freePort();
  const before = await startRegistry(port);
  await before.put("bob");
  const program = start(USERS, ["--registry", before.url, "--watch"]);
  await program.sees("bob  http://127.0.0.1:8080");
  await before.close();
  await program.sees("warning: the registry does not answer");
  const after = await startRegistry(port);
  await after.put("carol");
  await program.sees("the registry is back");
  await program.sees("carol joined");
  await program.sees("bob left");
});

test("with --watch ends when nobody reads it any more", async () => {
  const { url, put } = await startRegistry();
  await put("bob");
  const shell = Bun.spawn(
    ["bash", "-c", `${process.execPath} ${USERS} --registry ${url} --watch | head -1`],
    {
      stdout: "pipe",
      cwd: `${import.meta.dir}/../..`,
    },
  );
  let ended = false;
  void shell.exited.then(() => {
    ended = true;
  });
  for (let i = 0; !ended; i++) {
    await put(`user-${i}`);
    await Bun.sleep(5);
  }
  expect(await new Response(shell.stdout).text()).toBe("bob  http://127.0.0.1:8080\n");
});
