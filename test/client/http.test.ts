/** What is of HTTP alone. */
import { describe, expect, test } from "bun:test";
import { afterwards } from "../helpers/afterwards.ts";
import { tcpPeer } from "../helpers/tcp.ts";
import { listenOn, senderOf } from "../helpers/transports.ts";

const HOST = "127.0.0.1";

describe("HTTP", () => {
  test("knows GET /v1/health, and what else it does not take", async () => {
    const { port } = await listenOn("HTTP");
    const base = `http://${HOST}:${port}`;
    expect(await (await fetch(`${base}/v1/health`)).json()).toEqual({ status: "ok" });
    expect((await fetch(`${base}/v1/users`)).status).toBe(404);
    const wrong = await fetch(`${base}/v1/message`);
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
    expect((await fetch(`${base}/v1/message`, { method: "POST", body: "{}" })).status).toBe(415);
    const headers = { "content-type": "application/json" };
    const gzip = { ...headers, "content-encoding": "gzip" };
    const packed = Bun.gzipSync('{"user":"bob","text":"hello"}');
    const compressed = await fetch(`${base}/v1/message`, { method: "POST", headers: gzip, body: packed });
    expect([compressed.status, compressed.headers.get("accept-encoding")]).toEqual([415, "identity"]);
    const large = await fetch(`${base}/v1/message`, { method: "POST", headers, body: "x".repeat(65_537) });
    expect(large.status).toBe(413);
  });

  test("counts an error status as not delivered", async () => {
    const server = Bun.serve({ hostname: HOST, port: 0, fetch: () => new Response("no", { status: 500 }) });
    afterwards(() => server.stop(true));
    const outcome = await senderOf("HTTP").send({ host: HOST, port: server.port ?? 0 }, "{}");
    expect(outcome).toEqual({ type: "failed", reason: "it answered 500" });
  });

  test("follows no redirect", async () => {
    const { inbox, port } = await listenOn("HTTP");
    const redirect = () => Response.redirect(`http://${HOST}:${port}/v1/message`, 307);
    const server = Bun.serve({ hostname: HOST, port: 0, fetch: redirect });
    afterwards(() => server.stop(true));
    const outcome = await senderOf("HTTP").send(
      { host: HOST, port: server.port ?? 0 },
      '{"user":"a","text":""}',
    );
    expect(outcome).toEqual({ type: "failed", reason: "it answered 307" });
    expect(inbox.size()).toBe(0);
  });

  test("does not know what became of a message when the peer hangs", async () => {
    const port = await tcpPeer(() => {});
    const outcome = await senderOf("HTTP").send({ host: HOST, port }, "{}");
    expect(outcome).toEqual({ type: "unanswered", seconds: 5 });
  });

  test("is content with the status of an answer that breaks off", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{";
    const port = await tcpPeer((socket) => socket.on("data", () => socket.end(answer)));
    expect(await senderOf("HTTP").send({ host: HOST, port }, "{}")).toEqual({ type: "delivered" });
  });

  test("nor when the peer closes midway", async () => {
    const port = await tcpPeer((socket) => socket.on("data", () => socket.destroy()));
    const outcome = await senderOf("HTTP").send({ host: HOST, port }, "{}");
    expect(outcome).toEqual({ type: "broken" });
  });
});
