/** `bun run conformance`: against Talk all rows pass, and a fault is named by the row that it breaks. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join, type Protocol } from "talk/client";
import { createRegistry } from "talk/registry";
import { formatAddress } from "../src/core/address.ts";
import { isRecord } from "../src/core/schemas.ts";
import { faults, startFaultyRegistry } from "./fixtures/faulty-registry.ts";
import { afterwards } from "./helpers/afterwards.ts";
import { root } from "./helpers/program.ts";
import { run } from "./helpers/run.ts";

// Processes and checks take longer than Bun's 5 s on a busy machine.
setDefaultTimeout(120_000);

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
  test("of Talk passes all rows, its checks among them, and nobody stays behind", async () => {
    const url = await openRegistry({ checkInterval: 1000, checkWindow: 2000 });
    const { passed, failed, unchecked, exitCode } = await check("--registry", url, "--wait", "30");
    expect({ failed, unchecked, exitCode }).toEqual({
      failed: [],
      unchecked: ["checks each user every 2–3 minutes"],
      exitCode: 0,
    });
    expect(passed.length).toBeGreaterThan(25);
    expect(await (await fetch(`${url}/v1/users`)).json()).toEqual({});
  });

  test("of another make passes too; that nobody waited for its checks is said", async () => {
    const { failed, unchecked, exitCode } = await check("--registry", faulty([]));
    expect({ failed, exitCode }).toEqual({ failed: [], exitCode: 0 });
    expect(unchecked).toHaveLength(6);
  });

  const planted = Object.entries(faults);

  test.each(planted)("in which %s fails at one row: %s", async (fault, row) => {
    const { failed, rows, exitCode } = await check("--registry", faulty([fault]));
    expect({ failed, exitCode }).toEqual({ failed: [row], exitCode: 1 });
    const report = rows.find(({ result }) => result === "failed");
    expect(report).toMatchObject({
      expected: expect.stringMatching(/./),
      sent: expect.stringMatching(/^(GET|POST|PUT|DELETE) http/),
      received: expect.stringMatching(/^\d{3}/),
    });
  });

  test("with ten faults has all ten named", async () => {
    const { failed } = await check("--registry", faulty(Object.keys(faults)));
    expect(failed.toSorted()).toEqual(Object.values(faults).toSorted());
    expect(failed).toHaveLength(10);
  });

  test("that never checks fails where checks are waited for", async () => {
    const { failed } = await check("--registry", faulty([]), "--wait", "1");
    expect(failed).toEqual([
      "checks a user on HTTP by GET /v1/health",
      "checks a user on WEBSOCKET by a connection to its port",
      "checks a user on UDP by a datagram with an id and an address to answer to",
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

  test("on HTTP that is ill and takes anything fails at those rows", async () => {
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
      'POST /v1/message refuses {"user":"a b","text":"x"}',
      'POST /v1/message refuses {"user":"conformance","text":1}',
    ]);
  });

  test("on WEBSOCKET that answers OK to anything but an empty text fails at those rows", async () => {
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
    expect(failed).toHaveLength(5);
  });

  test("on UDP that answers with another id, and ends at a bad datagram, fails", async () => {
    const client = await Bun.udpSocket({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket, datagram) {
          const message: unknown = JSON.parse(datagram.toString());
          if (!isRecord(message) || message.user !== "healthCheck") return;
          const { port } = JSON.parse(String(message.text));
          socket.send("0123456789abcdef", port, "127.0.0.1");
        },
        error() {},
      },
    });
    afterwards(() => client.close());
    const { passed, rows } = await check("--client", `udp://127.0.0.1:${client.port}`);
    expect(passed).toEqual([]);
    expect(rows[0]).toMatchObject({ received: "0123456789abcdef" });
  });
});

describe("nothing", () => {
  test.each([
    ["--registry", "http://127.0.0.1:1"],
    ["--client", "http://127.0.0.1:1"],
    ["--client", "ws://127.0.0.1:1"],
    ["--client", "udp://127.0.0.1:1"],
  ])("%s %s is said in a line", async (flag, url) => {
    expect(await run("scripts/conformance/main.ts", [flag, url])).toEqual({
      stdout: "",
      stderr: `error: nothing answers at ${url} (connection refused); start what is to be checked first\n`,
      exitCode: 1,
    });
  });

  test("is at a host that there is not", async () => {
    const { stderr, exitCode } = await run("scripts/conformance/main.ts", [
      "--client",
      "udp://host.invalid:1",
    ]);
    expect(stderr).toMatch(/^error: nothing answers at udp:\/\/host.invalid:1 \(.*\); start .*\n$/);
    expect(exitCode).toBe(1);
  });
});

test("a closed output, as of `| head -1`, leaves nobody behind", async () => {
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

test("for people it writes a line for each row, three more for a failed one, and the sum", async () => {
  const { stdout, exitCode } = await run("scripts/conformance/main.ts", [
    "--registry",
    faulty(["PUT does not create"]),
  ]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain('passed       POST /v1/users registers a user: 200 {"status":"ok"}\n');
  expect(stdout).toMatch(
    /^failed {7}PUT creates a user who is missing\n {13}expected 200 {"status":"ok"}\n {13}sent {5}PUT http.*\n {13}received 404 no\n/m,
  );
  expect(stdout).toEndWith("22 passed, 1 failed, 6 not checked\n");
});

test.each([
  [[], "error: say what to check: either --registry <url> or --client <url>\n"],
  [["--registry", "http://h", "--client", "ws://h"], expect.stringMatching(/^error: say what to check/)],
  [["--registry", "here"], "error: --registry must be a URL such as http://127.0.0.1:8088\n"],
  [["--client", "tcp://h"], expect.stringMatching(/^error: --client is not valid/)],
])("%j is a wrong usage", async (args, stderr) => {
  expect(await run("scripts/conformance/main.ts", args)).toEqual({ stdout: "", stderr, exitCode: 2 });
});
