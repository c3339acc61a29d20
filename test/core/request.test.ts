import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { connectRegistry } from "../../src/client/registry/api.ts";
import { transports } from "../../src/client/transports/index.ts";
import { closeReason, readCloseReason, readRetryAfter } from "../../src/core/http.ts";
import { probeHttp } from "../../src/core/probe.ts";
import { openWebSocket } from "../../src/core/request.ts";
import { afterwards } from "../helpers/afterwards.ts";

/** 200 MB as less than 200 kB. */
const BOMB = gzipSync(Buffer.alloc(200_000_000));
const MAX_GROWTH = 100_000_000;

/** Answers everything with a bomb. */
function serveBomb() {
  const asked: Headers[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      asked.push(request.headers);
      const headers = { "content-encoding": "gzip", "content-type": "application/json" };
      return new Response(BOMB, { headers });
    },
  });
  afterwards(() => server.stop(true));
  return { asked, url: server.url.origin, host: "127.0.0.1", port: server.port ?? 0 };
}

/** How much more memory this process holds after something. */
async function growth(run: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  await run();
  return process.memoryUsage.rss() - before;
}

test("compressed responses of a probed client, a peer and a registry are not decompressed", async () => {
  const { url, host, port, asked } = serveBomb();
  const sender = transports.HTTP.createSender();
  const grown = await growth(async () => {
    for (let i = 0; i < 5; i++) {
      expect(await probeHttp(`${host}:${port}`, host, AbortSignal.timeout(5000))).toBe(true);
      expect(await sender.send({ host, port }, "{}")).toEqual({ type: "delivered" });
      await expect(connectRegistry(url).list()).rejects.toThrow("its answers are compressed");
    }
  });
  expect(grown).toBeLessThan(MAX_GROWTH);
  for (const headers of asked) expect(headers.get("accept-encoding")).toBe("identity");
});

test("no WebSocket offers compression", async () => {
  const offered = Promise.withResolvers<string | null>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      offered.resolve(request.headers.get("sec-websocket-extensions"));
      return new Response("", { status: 400 });
    },
  });
  afterwards(() => server.stop(true));
  const socket = openWebSocket(`ws://${server.url.host}/`);
  socket.addEventListener("error", () => {});
  expect(await offered.promise).toBeNull();
});

test("only one file uses fetch or WebSocket directly", async () => {
  const root = `${import.meta.dir}/../..`;
  const asking: string[] = [];
  for (const folder of ["src", "scripts/conformance"]) {
    for await (const file of new Bun.Glob(`${folder}/**/*.ts`).scan(root)) {
      const text = await Bun.file(`${root}/${file}`).text();
      if (/(?<![.\w])fetch\((?!request)|new WebSocket\(/.test(text)) asking.push(file);
    }
  }
  expect(asking).toEqual(["src/core/request.ts"]);
});

test("Retry-After is written in one form, and no other is read", () => {
  expect(readCloseReason(closeReason(2500))).toBe(3000);
  for (const words of ["", "Too many messages at once; wait 7 s.", "Retry-After: soon", "x Retry-After: 7"]) {
    expect(readCloseReason(words)).toBeUndefined();
  }
  expect(readRetryAfter("120")).toBe(120_000);
  for (const text of ["-1", "1e3", "2 s", "Fri, 27 Nov 2026 08:00:00 GMT"])
    expect(readRetryAfter(text)).toBeUndefined();
});
