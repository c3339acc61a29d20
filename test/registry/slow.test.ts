/** Connections that say too little, or too slowly. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { createApp } from "../../src/registry/app.ts";
import { startRegistry } from "../helpers/program.ts";
import { listen, openTestStore } from "../helpers/registry.ts";

// They are closed within 15 s.
setDefaultTimeout(30_000);

const POST = "POST /v1/users HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";

/** What a connection says at once, and what it adds again and again. */
const slow: Record<string, [first: string, again: string]> = {
  "says nothing": ["", ""],
  "stops in its headers": ["GET /v1/users HTTP/1.1\r\nHost: h\r\nX: ", ""],
  "sends its headers byte by byte": ["GET /v1/users HTTP/1.1\r\nHost: h\r\nX: ", "x"],
  "stops in its body": [`${POST}Content-Length: 1000\r\n\r\n{`, ""],
  "sends its body byte by byte": [`${POST}Content-Length: 1000\r\n\r\n`, " "],
  "sends its chunks byte by byte": [`${POST}Transfer-Encoding: chunked\r\n\r\n`, "1\r\n \r\n"],
  "stays after an answer": ["GET /v1/health HTTP/1.1\r\nHost: h\r\n\r\n", ""],
  "goes slow after an answer": ["GET /v1/health HTTP/1.1\r\nHost: h\r\n\r\nGET /", "x"],
};

/** Resolves to how long a connection lived, in milliseconds. */
function livesFor(port: number, [first, again]: [string, string]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const began = performance.now();
  const socket = connect(port, "127.0.0.1", () => socket.write(first));
  const timer = setInterval(() => socket.write(again), 500);
  socket.on("data", () => {});
  socket.on("error", () => {});
  socket.on("close", () => {
    clearInterval(timer);
    resolve(performance.now() - began);
  });
  return promise;
}

test("each is closed within 15 s, and others are answered meanwhile", async () => {
  const base = listen(createApp({ store: await openTestStore("memory:") }));
  const port = Number(new URL(base).port);
  const lives = Promise.all(Object.values(slow).map((said) => livesFor(port, said)));
  expect((await fetch(`${base}/v1/users`)).status).toBe(200);
  const tooLong = (await lives).filter((ms) => ms > 15_000);
  expect(tooLong).toEqual([]);
  expect(await (await fetch(`${base}/v1/users`)).json()).toEqual({});
});

test("who goes away in the middle of a body is no trouble worth a line in the log", async () => {
  const registry = await startRegistry();
  for (const framing of ["Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]) {
    const socket = connect(Number(new URL(registry.url).port), "127.0.0.1");
    await new Promise((resolve) => socket.write(POST + framing, resolve));
    await fetch(`${registry.url}/v1/health`);
    socket.resetAndDestroy();
  }
  await fetch(`${registry.url}/v1/health`);
  registry.kill("SIGTERM");
  expect(await registry.exited).toBe(0);
  expect(registry.lines.filter((line) => line.startsWith("error"))).toEqual([]);
});
