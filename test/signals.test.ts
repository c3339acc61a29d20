/** The signals by which commands are stopped, as whole process groups get them. */
import { expect, test } from "bun:test";
import { PROTOCOLS } from "../src/core/protocol.ts";
import { afterwards } from "./helpers/afterwards.ts";
import { startGroup, stopGroups } from "./helpers/group.ts";
import { listed, root, start, startRegistry } from "./helpers/program.ts";
import { openScreen, setsid } from "./helpers/screen.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function open(args: string[], pattern: RegExp) {
  const group = await startGroup(args, pattern);
  afterwards(() => group.kill("SIGKILL"));
  return group;
}

test.each(signals)("clients whose whole group gets %s exit 0, and none stays registered", async (signal) => {
  const registry = await startRegistry();
  const clients = await Promise.all(
    Object.keys(PROTOCOLS).flatMap((protocol) =>
      [1, 2].map((i) => {
        const name = `${protocol}-${i}`;
        const flags = ["--registry", registry.url, "--port", "0", "--protocol", protocol, "--name", name];
        return open(["client", ...flags], /^(\S+) .*\(you\)$/);
      }),
    ),
  );
  const ends = await stopGroups(clients, signal);
  expect(ends.map(({ code }) => code)).toEqual(Array(6).fill(0));
  expect(await listed(registry)).toEqual({});
});

test.each(signals)("registries whose whole group gets %s exit 0", async (signal) => {
  const registries = await Promise.all(
    [1, 2, 3].map(() => open(["registry", "--port", "0", "--store", "memory:"], /^registry at (\S+),/)),
  );
  const ends = await stopGroups(registries, signal);
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
});

test.skipIf(!setsid).each(signals)(
  "a demo in a terminal whose whole group gets %s exits 0",
  async (signal) => {
    const screen = openScreen([process.execPath, "run", "--cwd", root, "demo"]);
    await screen.until((rows) => rows.join().includes("(you)"), "(you)");
    process.kill(-screen.pid, signal);
    expect(await screen.exited).toBe(0);
    expect(screen.isRestored()).toBe(true);
  },
);

test("a signal more than a second after the first ends a client at once, even one waiting for its registry", async () => {
  const silent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    // Joining works, and leaving gets no answer.
    fetch: ({ method, url }) =>
      method === "POST" || url.endsWith("/v1/health")
        ? Response.json({ status: "ok" })
        : new Promise<Response>(() => {}),
  });
  afterwards(() => silent.stop(true));
  const flags = ["--name", "alice", "--port", "0", "--registry", silent.url.href];
  const client = start("src/client/main.ts", flags);
  await client.sees(/^you are alice/);
  client.kill("SIGTERM");
  // Until then further signals are the first one.
  await Bun.sleep(1200);
  client.kill("SIGTERM");
  expect(await client.exited).toBe(143);
});

test("a text without an answer before a signal is reported as one that may have arrived", async () => {
  const asked = Promise.withResolvers<void>();
  const silent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch() {
      asked.resolve();
      return new Promise<Response>(() => {});
    },
  });
  afterwards(() => silent.stop(true));
  const bob = { protocol: "HTTP", host: "127.0.0.1", port: silent.port };
  const registry = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json({ bob }) });
  afterwards(() => registry.stop(true));
  const send = start("src/client/send.ts", ["--to", "bob", "--registry", registry.url.href, "hello"]);
  await asked.promise;
  send.kill("SIGINT");
  await send.sees("maybe delivered to bob: stopped before an answer; it may have arrived");
  expect(await send.exited).toBe(3);
});

test("a send that waits for its input exits on a signal, and says that nothing was sent", async () => {
  const send = start("src/client/send.ts", ["--to", "bob", "--registry", "http://127.0.0.1:1"]);
  // SIGHUP is the lowest bit of the signals that it catches.
  while (!(await Bun.file(`/proc/${send.pid}/status`).text()).match(/^SigCgt:\s.*[13579bdf]$/m));
  send.kill("SIGHUP");
  await send.sees("error: not delivered to bob: stopped before there was a text");
  expect(await send.exited).toBe(1);
});

test("no command uses once for a signal, because the second signal would kill it", async () => {
  const found: string[] = [];
  for (const folder of ["src", "scripts"]) {
    for await (const file of new Bun.Glob(`${folder}/**/*.ts`).scan(`${import.meta.dir}/..`)) {
      if (
        /process\.once\(|process\.on\(\s*"SIG(INT|TERM|HUP)/.test(
          await Bun.file(`${import.meta.dir}/../${file}`).text(),
        )
      )
        found.push(file);
    }
  }
  expect(found).toEqual([]);
});
