/** Connections that say too little, or too slowly. */
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { createApp } from "../../src/registry/http/app.ts";
import { startRegistry } from "../helpers/program.ts";
import { listen, openTestStore } from "../helpers/registry.ts";
import { livesFor, slowTalkers } from "../helpers/slow.ts";

const POST = "POST /v1/users HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";

test("each is closed within 15 s, and others are answered meanwhile", async () => {
  const base = listen(createApp({ store: await openTestStore("memory:") }));
  const port = Number(new URL(base).port);
  const lives = Promise.all(slowTalkers("/v1/users").map((said) => livesFor(port, said)));
  expect((await fetch(`${base}/v1/users`)).status).toBe(200);
  const tooLong = (await lives).filter((ms) => ms > 15_000);
  expect(tooLong).toEqual([]);
  expect(await (await fetch(`${base}/v1/users`)).json()).toEqual({});
});

test("a client that disconnects in the middle of a body leaves no line in the log", async () => {
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
