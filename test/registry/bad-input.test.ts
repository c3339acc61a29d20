import { describe, expect, test } from "bun:test";
import { connect as connectSocket } from "node:net";
import { createApp } from "../../src/registry/http/app.ts";
import { type Ask, listen, openTestStore, ways } from "../helpers/registry.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };
const JSON_TYPE = { "content-type": "application/json" };

type Call = [method: string, path: string, body?: unknown, headers?: Record<string, string>];

const post = (body: unknown): Call => ["POST", "/v1/users", body];
const named = (user: unknown) => post({ user, address: HERE });
const at = (address: unknown) => post({ user: "bob", address });
const put = (name: string): Call => ["PUT", `/v1/users/${name}`, HERE];

const bad: Record<string, { status: number; call: Call }[]> = {
  "a name": [
    "",
    ".",
    "..",
    "a b",
    "a/b",
    "bob\n",
    "bob\0",
    "bøb",
    "名",
    "😀",
    "bob:",
    "x".repeat(65),
    7,
    null,
    true,
    [],
    ["bob"],
    {},
  ].map((name) => ({ status: 400, call: named(name) })),

  "a name in the path": [
    "a%2Fb",
    "%00",
    "a%20b",
    "%zz",
    "%F0%9F",
    "%E5%90%8D",
    "b%C3%B8b",
    "x".repeat(65),
    "a:b",
    "a+b",
  ].map((name) => ({ status: 400, call: put(name) })),

  "a protocol": ["", "http", "TCP", "HTTP ", 1, null, [], "__proto__", undefined].map((protocol) => ({
    status: 400,
    call: at({ ...HERE, protocol }),
  })),

  "a host": [
    "",
    " ",
    "a b",
    "-a",
    "a-",
    "a..b",
    ".a",
    "a.",
    "[::1]",
    "::1%eth0",
    "1::2::3",
    "127.1",
    "256.1.1.1",
    "1.2.3.4.5",
    "2130706433",
    "a/b",
    "a:80",
    "user@h",
    "h\n",
    "mü.de",
    `${"a".repeat(64)}.de`,
    `${"a.".repeat(126)}aa`,
    1,
    null,
    undefined,
    [],
    {},
  ].map((host) => ({ status: 400, call: at({ ...HERE, host }) })),

  "a port": [
    0,
    65536,
    1.5,
    -1,
    "80x",
    "",
    " 80",
    "0",
    "65536",
    "1e3",
    "0x50",
    "8".repeat(400),
    1e300,
    null,
    true,
    [80],
    {},
  ].map((port) => ({ status: 400, call: at({ ...HERE, port }) })),

  "a body of the wrong shape": [
    {},
    [],
    null,
    1,
    '"bob"',
    { user: "bob" },
    { address: HERE },
    { user: "bob", address: null },
    { user: "bob", address: [HERE] },
    { user: "bob", address: "http://127.0.0.1:8080" },
  ].map((body) => ({ status: 400, call: post(body ?? "null") })),

  "what is no JSON": [
    "",
    " ",
    "{",
    "{'user':1}",
    '{"user":"bob",}',
    "\0",
    "﻿﻿{}",
    "[".repeat(60_000),
    `${"[".repeat(30_000)}${"]".repeat(30_000)}`,
    `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
    "NaN",
    "undefined",
  ].map((text) => ({ status: 400, call: ["POST", "/v1/users", text, JSON_TYPE] })),

  "a content type": [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/json",
    "",
    "a",
    "application/json2",
  ].map((type) => ({
    status: 415,
    call: ["POST", "/v1/users", JSON.stringify({ user: "bob", address: HERE }), { "content-type": type }],
  })),

  "a content encoding": ["gzip", "br", "deflate", "identity, gzip"].map((encoding) => ({
    status: 415,
    call: [
      "POST",
      "/v1/users",
      JSON.stringify({ user: "bob", address: HERE }),
      { ...JSON_TYPE, "content-encoding": encoding },
    ],
  })),

  "too much": [
    { status: 413, call: post({ user: "bob", address: HERE, padding: "x".repeat(65_536) }) },
    { status: 413, call: ["PUT", "/v1/users/bob", { ...HERE, padding: "x".repeat(1_000_000) }] },
  ],

  "a path": ["/v1", "/v1/user", "/v1/users/a/b", "/v2/users", "/v1/users//", "/%2e%2e/etc"].map((path) => ({
    status: 404,
    call: ["GET", path],
  })),

  "a method": [
    ["PATCH", "/v1/users/bob", HERE],
    ["PUT", "/v1/users", HERE],
    ["DELETE", "/v1/users"],
    ["POST", "/v1/users/bob", HERE],
    ["POST", "/swagger/json", HERE],
  ].map(([method, path, body]) => ({ status: 405, call: [String(method), String(path), body] })),
};

const cases = Object.entries(bad).flatMap(([kind, calls]) =>
  calls.map(({ status, call }) => ({ kind, status, call, shown: JSON.stringify(call).slice(0, 90) })),
);

/** The documented shape: two keys, one sentence, at most 512 bytes. */
async function expectRefusal(answer: Response, status: number) {
  const text = await answer.text();
  expect([answer.status, text]).toEqual([status, expect.any(String)]);
  expect(text.length).toBeLessThanOrEqual(512);
  expect(JSON.parse(text)).toEqual({ status: "error", message: expect.stringMatching(/^[^\n]+\.$/) });
}

describe.each(Object.entries(ways))("bad input through %s", (_, connect) => {
  async function withCarol(): Promise<Ask> {
    const ask = await connect();
    await ask("PUT", "/v1/users/carol", HERE);
    return ask;
  }

  async function expectUnchanged(ask: Ask) {
    expect(await (await ask("GET", "/v1/users")).json()).toEqual({ carol: HERE });
  }

  test.each(cases)("is refused: $kind, $status for $shown", async ({ status, call }) => {
    const ask = await withCarol();
    await expectRefusal(await ask(...call), status);
    await expectUnchanged(ask);
  });

  test.each([
    '{"user":"b\xffb","address":{"protocol":"HTTP","host":"127.0.0.1"}}',
    '{"user":"bob","address":{"protocol":"HTTP","host":"h\xc3"}}',
    '{"user":"bob","address":{"protocol":"HTTP\xe2\x82","host":"127.0.0.1"}}',
  ])("is refused: invalid UTF-8 in a field, %j", async (body) => {
    const ask = await withCarol();
    await expectRefusal(await ask("POST", "/v1/users", Buffer.from(body, "latin1"), JSON_TYPE), 400);
    await expectUnchanged(ask);
  });

  test("is refused: a compressed body, and the response names the only accepted encoding", async () => {
    const ask = await withCarol();
    const gzip = { ...JSON_TYPE, "content-encoding": "gzip" };
    const body = new Blob([Bun.gzipSync(JSON.stringify(HERE))]).stream();
    const answer = await ask("PUT", "/v1/users/carol", body, gzip);
    expect(answer.headers.get("accept-encoding")).toBe("identity");
    await expectRefusal(answer, 415);
    await expectUnchanged(ask);
    const identity = { ...JSON_TYPE, "content-encoding": "identity" };
    expect((await ask("PUT", "/v1/users/carol", JSON.stringify(HERE), identity)).status).toBe(200);
  });

  test("is refused: an endless chunked body", async () => {
    const ask = await withCarol();
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 16_384;
        controller.enqueue(new Uint8Array(16_384).fill(32));
        if (sent > 10_000_000) controller.close();
      },
    });
    const answer = await ask("POST", "/v1/users", endless, JSON_TYPE).catch(() => undefined);
    // A client that is still sending may find the connection closed before it reads the answer.
    if (answer) await expectRefusal(answer, 413);
    await expectUnchanged(ask);
  });

  test("is refused without being echoed", async () => {
    const ask = await connect();
    for (const call of [
      named("<script>"),
      at({ ...HERE, host: "<script>" }),
      post("<script>"),
      ["GET", "/<script>"] satisfies Call,
    ]) {
      expect(await (await ask(...call)).text()).not.toContain("script");
    }
  });
});

describe("raw bytes on the socket", () => {
  const lines = (...head: string[]) => `${head.join("\r\n")}\r\n\r\n`;

  test.each([
    ["no HTTP at all", "hello\r\n\r\n"],
    ["a Host with a space", lines("GET /v1/users HTTP/1.1", "Host: a b", "Connection: close")],
    ["no Host", lines("GET /v1/users HTTP/1.1", "Connection: close")],
    [
      "a negative length",
      lines("POST /v1/users HTTP/1.1", "Host: h", "Content-Length: -1", "Connection: close"),
    ],
    [
      "two lengths",
      lines(
        "POST /v1/users HTTP/1.1",
        "Host: h",
        "Content-Length: 2",
        "Content-Length: 3",
        "Connection: close",
      ),
    ],
    ["a header without end", `GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(100_000)}`],
    ["dots in the path", lines("GET /v1/users/../../etc HTTP/1.1", "Host: h", "Connection: close")],
    ["no path", lines("GET  HTTP/1.1", "Host: h", "Connection: close")],
  ])("%s causes no 5xx, and the registry keeps running", async (_, bytes) => {
    const base = listen(createApp({ store: await openTestStore("memory:") }));
    const answer = await exchange(Number(new URL(base).port), bytes);
    expect(answer).not.toMatch(/^HTTP\/1.1 5/);
    expect((await fetch(`${base}/v1/health`)).status).toBe(200);
  });

  function exchange(port: number, bytes: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    let answer = "";
    const socket = connectSocket(port, "127.0.0.1", () => socket.end(bytes));
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("error", () => resolve(answer));
    socket.on("close", () => resolve(answer));
    return promise;
  }
});

test("more than 60 kinds of bad input were tried", () => {
  expect(cases.length).toBeGreaterThan(60);
});
