/** `bun run conformance`: against Talk all rows pass, and a fault is named by the row that it breaks. */
import { describe, expect, test } from "bun:test";
import { join, type Protocol } from "talk/client";
import { createRegistry } from "talk/registry";
import { formatAddress } from "../src/core/address.ts";
import { isRecord } from "../src/core/schemas.ts";
import { faults, startFaultyRegistry } from "./fixtures/faulty-registry.ts";
import { afterwards } from "./helpers/afterwards.ts";
import { startIdCheckerClient, startMessageClient } from "./helpers/dialects.ts";
import { root } from "./helpers/program.ts";
import { run } from "./helpers/run.ts";

/** The row that only another machine can see. */
const ELSEWHERE = faults["another machine's loopback stays"];

/** Runs it, and gives the names of its rows by their results. */
async function check(...args: string[]) {
  const { stdout, stderr, exitCode } = await run("scripts/conformance/main.ts", [...args, "--json"]);
  const rows: Record<string, unknown>[] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const named = (result: string) => rows.filter((row) => row.result === result).map(({ name }) => name);
  expect(stderr).toBe("");
  return {
    rows,
    passed: named("passed"),
    failed: named("failed"),
    unchecked: named("not checked"),
    exitCode,
  };
}

async function openRegistry(options = {}) {
  const registry = await createRegistry({ store: "memory:", ...options });
  afterwards(() => registry.close());
  return registry.listen({ port: 0 });
}

function faulty(planted: string[]): string {
  const { url, stop } = startFaultyRegistry(planted);
  afterwards(stop);
  return url;
}

describe("a registry", () => {
  // That it checks every 2–3 minutes takes six minutes to see; the checker's own tests see it in simulated time.
  test("of Talk passes all rows, including its health checks, and keeps no temporary user", async () => {
    const url = await openRegistry({ checkInterval: 1000, checkWindow: 2000 });
    const { passed, failed, unchecked, exitCode } = await check("--registry", url, "--wait", "30");
    expect({ failed, unchecked, exitCode }).toEqual({
      failed: [],
      unchecked: [ELSEWHERE, "checks each user every 2–3 minutes"],
      exitCode: 0,
    });
    expect(passed.length).toBeGreaterThan(25);
    expect(await (await fetch(`${url}/v1/users`)).json()).toEqual({});
  });

  test("of another implementation passes too; skipped health checks are reported", async () => {
    const { failed, unchecked, exitCode } = await check("--registry", faulty([]));
    expect({ failed, exitCode }).toEqual({ failed: [], exitCode: 0 });
    expect(unchecked).toHaveLength(8);
  });

  // Of another machine's loopback, the tests on several machines show it.
  const planted = Object.entries(faults).filter(([, row]) => row !== ELSEWHERE);

  test.each(planted)("with the fault %s fails one row: %s", async (fault, row) => {
    const { failed, rows, exitCode } = await check("--registry", faulty([fault]), "--strict");
    expect({ failed, exitCode }).toEqual({ failed: [row], exitCode: 1 });
    const report = rows.find(({ result }) => result === "failed");
    expect(report).toMatchObject({
      expected: expect.stringMatching(/./),
      sent: expect.stringMatching(/^(GET|POST|PUT|DELETE) http/),
      received: expect.stringMatching(/^\d{3}/),
    });
  });

  test("with thirteen faults fails all thirteen rows", async () => {
    // Without either path there would be no list.
    const all = planted.filter(([fault]) => fault !== "no path with a trailing slash");
    const { failed } = await check("--registry", faulty(all.map(([fault]) => fault)), "--strict");
    expect(failed.toSorted()).toEqual(all.map(([, row]) => row).toSorted());
    expect(failed).toHaveLength(13);
  });

  test("that never checks its users fails with --wait", async () => {
    const { failed } = await check("--registry", faulty([]), "--wait", "1");
    expect(failed).toEqual([
      "checks a user on HTTP by GET /v1/health",
      "checks a user on WEBSOCKET by connecting to its port",
      "checks a user on UDP by a datagram with an id and a reply address",
      "removes a user who does not answer",
    ]);
  });
});

describe("a client", () => {
  test.each(["HTTP", "WEBSOCKET", "UDP"] as Protocol[])("of Talk passes on %s", async (protocol) => {
    const registry = await openRegistry();
    const client = await join({ name: "bob", protocol, registry, port: 0 });
    afterwards(() => client.close());
    const { passed, failed, unchecked, exitCode } = await check("--client", formatAddress(client.address));
    expect({ failed, exitCode }).toEqual({ failed: [], exitCode: 0 });
    expect(passed.length).toBeGreaterThanOrEqual(3);
    expect(unchecked).toHaveLength(8);
  });

  test("on HTTP that is unhealthy and accepts anything fails those rows", async () => {
    const client = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: ({ method }) => new Response("", { status: method === "GET" ? 500 : 200 }),
    });
    afterwards(() => client.stop(true));
    const { failed } = await check("--client", `http://127.0.0.1:${client.port}`);
    expect(failed).toEqual([
      "GET /v1/health answers 2xx",
      "POST /v1/message refuses hello",
      'POST /v1/message refuses {"user":"conformance"}',
    ]);
  });

  test("that breaks one of Talk's own rules differs, and fails with --strict", async () => {
    const client = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const body = request.method === "GET" ? '"text"' : await request.text();
        return new Response("OK", { status: body.includes('"text"') ? 200 : 400 });
      },
    });
    afterwards(() => client.stop(true));
    const ours = [
      'POST /v1/message refuses {"user":"a b","text":"x"} (Talk\'s own rule)',
      'POST /v1/message refuses {"user":"conformance","text":1} (Talk\'s own rule)',
    ];
    const url = `http://127.0.0.1:${client.port}`;
    const lenient = await check("--client", url);
    const differing = lenient.rows.filter(({ result }) => result === "differs").map(({ name }) => name);
    expect([lenient.failed, differing, lenient.exitCode]).toEqual([[], ours, 0]);
    const strict = await check("--client", url, "--strict");
    expect([strict.failed, strict.exitCode]).toEqual([ours, 1]);
    const { stdout } = await run("scripts/conformance/main.ts", ["--client", url]);
    expect(stdout).toEndWith("6 passed, 0 failed, 8 not checked, and 2 where others may differ\n");
  });

  test("on WEBSOCKET that answers OK to anything but an empty text fails those rows", async () => {
    const client = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("", { status: 426 })),
      websocket: {
        message(socket, frame) {
          const refused = String(frame).includes('"text":""');
          socket.send(refused ? '{"status":"error","message":"nothing said"}' : "OK");
        },
      },
    });
    afterwards(() => client.stop(true));
    const { passed, failed } = await check("--client", `ws://127.0.0.1:${client.port}`);
    expect(passed).toEqual(["a connection to /v1/ws/message opens"]);
    expect(failed).toHaveLength(3);
  });

  test("on UDP that answers with another id fails only that row: nothing shows the rest", async () => {
    const client = await Bun.udpSocket({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket, _, port, source) {
          socket.send("0123456789abcdef", port, source);
        },
        error() {},
      },
    });
    afterwards(() => client.close());
    const { passed, failed, unchecked, rows } = await check("--client", `udp://127.0.0.1:${client.port}`);
    expect([passed, failed]).toEqual([
      [],
      ["answers the registry's probe with a datagram that contains its id"],
    ]);
    expect(rows[0]).toMatchObject({
      received: "0123456789abcdef",
      sent: expect.stringContaining("id-checker "),
    });
    expect(unchecked.slice(0, 2)).toEqual([
      "takes a datagram per message, and answers probes after it",
      "survives invalid messages",
    ]);
  });

  test("on UDP that crashes on an empty text fails that row: it answers no probe afterwards", async () => {
    let alive = true;
    const client = await Bun.udpSocket({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket, datagram, port, source) {
          const text = datagram.toString();
          if (text.includes('"text":""')) alive = false;
          const [, id] = /id-checker (\w+)/.exec(text) ?? [];
          if (alive && id) socket.send(id, port, source);
        },
        error() {},
      },
    });
    afterwards(() => client.close());
    const { failed, rows } = await check("--client", `udp://127.0.0.1:${client.port}`);
    expect(failed[0]).toBe("takes a datagram per message, and answers probes after it");
    expect(rows[1]).toMatchObject({ sent: '{"user":"conformance","text":""}', received: "silence" });
  });

  test("on UDP that knows only id-checker passes", async () => {
    const { address } = await startIdCheckerClient();
    const { failed, passed, exitCode } = await check("--client", formatAddress(address));
    expect({ failed, exitCode }).toEqual({ failed: [], exitCode: 0 });
    expect(passed).toHaveLength(3);
  });

  test("on UDP that crashes on an invalid message fails that row, which names the datagram", async () => {
    const { address, received } = await startMessageClient();
    const { rows, failed } = await check("--client", formatAddress(address));
    expect(failed).toEqual(["survives invalid messages"]);
    expect(rows.find(({ result }) => result === "failed")).toMatchObject({
      sent: "hello",
      received: "silence",
    });
    expect(received.filter((datagram) => datagram.startsWith("id-checker"))).toEqual([]);
  });
});

test("a client on HTTP that hangs is checked to the end", async () => {
  const began = performance.now();
  const url = startSeed({ hangs: true });
  const { unchecked, exitCode } = await check("--client", url);
  expect(exitCode).toBe(1);
  expect(unchecked).toContain('POST /v1/message refuses {"user":"conformance"}');
  // What it promises: an end within 20 s.
  expect(performance.now() - began).toBeLessThan(21_000);
});

/** The seed's four routes, and of them only what is asked for. */
function startSeed({ user = true, hangs = false } = {}): string {
  const users: Record<string, unknown> = {};
  const ok = () => Response.json({ status: "ok" });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      if (hangs) return new Promise<Response>(() => {});
      const { pathname } = new URL(request.url);
      const one = user ? /^\/v1\/users\/(\w+)$/.exec(pathname)?.[1] : undefined;
      const body: unknown = request.body ? await request.json() : {};
      if (!isRecord(body)) return new Response("", { status: 400 });
      switch (`${request.method} ${one === undefined ? pathname : "one"}`) {
        case "GET /v1/users":
          return Response.json(users);
        case "POST /v1/users":
          if (typeof body.name !== "string") return new Response("name is missing", { status: 500 });
          if (!/^\w+$/.test(body.name)) return new Response("", { status: 400 });
          if (body.name in users) return new Response("", { status: 409 });
          users[body.name] = body.address;
          return ok();
        case "PUT one":
          users[one ?? ""] = body;
          return ok();
        case "DELETE one":
          delete users[one ?? ""];
          return ok();
        default:
          return new Response("", { status: 404 });
      }
    },
  });
  afterwards(() => server.stop(true));
  return `http://127.0.0.1:${server.port}`;
}

describe("a registry of another implementation", () => {
  test("with only four routes fails one row for each difference that clients tolerate", async () => {
    const { failed } = await check("--registry", startSeed());
    expect(failed.slice(0, 2)).toEqual([
      "POST /v1/users takes the name in the field user",
      "GET and POST work with a trailing slash, at /v1/users/",
    ]);
    expect(failed.filter((name) => !/bad name/.test(String(name))).slice(2)).toEqual([
      'a name may have letters, digits, "-", "_" and "."',
    ]);
  });

  test.each([
    ["only the seed's four routes", {}, ["--wait", "1"]],
    ["nothing at /v1/users/{user}", { user: false }, ["--wait", "1"]],
    ["nothing but connections, and hangs", { hangs: true }, []],
  ])("that has %s is checked to the end", async (_, options, wait) => {
    const began = performance.now();
    const { failed, exitCode } = await check("--registry", startSeed(options), ...wait);
    expect(exitCode).toBe(1);
    expect(failed.length).toBeGreaterThan(0);
    // What it promises: an end within 20 s, and here what waiting was asked for.
    expect(performance.now() - began).toBeLessThan(21_000);
  });
});

describe("nothing", () => {
  test.each([
    ["--registry", "http://127.0.0.1:1"],
    ["--client", "http://127.0.0.1:1"],
    ["--client", "ws://127.0.0.1:1"],
    ["--client", "udp://127.0.0.1:1"],
  ])("%s %s is reported in one line", async (flag, url) => {
    expect(await run("scripts/conformance/main.ts", [flag, url])).toEqual({
      stdout: "",
      stderr: `error: nothing answers at ${url} (connection refused); start the program to check first\n`,
      exitCode: 1,
    });
  });

  test("answers at a host that does not exist", async () => {
    const { stderr, exitCode } = await run("scripts/conformance/main.ts", [
      "--client",
      "udp://host.invalid:1",
    ]);
    expect(stderr).toMatch(/^error: nothing answers at udp:\/\/host.invalid:1 \(.*\); start .*\n$/);
    expect(exitCode).toBe(1);
  });
});

test("a closed output, as of `| head -1`, leaves no temporary user behind", async () => {
  const url = await openRegistry();
  const command = `(bun run conformance --registry ${url}; echo "exit code $?" >&2) | head -1`;
  const pipe = Bun.spawn(["sh", "-c", command], {
    cwd: root,
    env: process.env,
    stdout: "ignore",
    stderr: "pipe",
  });
  expect(await new Response(pipe.stderr).text()).toBe("exit code 0\n");
  expect(await (await fetch(`${url}/v1/users`)).json()).toEqual({});
});

test("for people it writes one line per row, three more for a failed one, and the totals", async () => {
  const { stdout, exitCode } = await run("scripts/conformance/main.ts", [
    "--registry",
    faulty(["PUT does not create"]),
  ]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain('passed       POST /v1/users registers a user: 200 {"status":"ok"}\n');
  expect(stdout).toMatch(
    /^failed {7}PUT creates a user who is missing\n {13}expected 200 {"status":"ok"}\n {13}sent {5}PUT http.*\n {13}received 404 no\n/m,
  );
  expect(stdout).toEndWith("25 passed, 1 failed, 8 not checked\n");
});

test.each([
  [[], "error: say what to check: either --registry <url> or --client <url>\n"],
  [["--registry", "http://h", "--client", "ws://h"], expect.stringMatching(/^error: say what to check/)],
  [["--registry", "here"], "error: --registry must be a URL such as http://127.0.0.1:8088\n"],
  [["--client", "tcp://h"], expect.stringMatching(/^error: --client is not valid/)],
])("%j is a usage error", async (args, stderr) => {
  expect(await run("scripts/conformance/main.ts", args)).toEqual({ stdout: "", stderr, exitCode: 2 });
});
