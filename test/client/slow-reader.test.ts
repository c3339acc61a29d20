/** Those who are too slow for what comes: whoever reads our output, and whoever is sent to. */
import { expect, test } from "bun:test";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createOutbox } from "../../src/client/outbound/outbox.ts";
import { nextTurn } from "../../src/core/clock.ts";
import { errorCode } from "../../src/core/errors.ts";
import { afterwards } from "../helpers/afterwards.ts";
import { listed, root, startRegistry } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

const HOST = "127.0.0.1";

function postTo(port: string | undefined, message: { user: string; text: string }): Promise<Response> {
  return fetch(`http://${HOST}:${port}/v1/message`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  });
}

test.each([[], ["--json"]])(
  "a client whose output nobody reads asks senders to wait, and takes more when it is read: %p",
  async (...flags) => {
    const registry = await startRegistry();
    const folder = temporaryFolder();
    Bun.spawnSync(["mkfifo", join(folder, "go")]);
    const self = `--name bob --port 0 --rate-limit 0 --registry ${registry.url} ${flags.join(" ")}`;
    // Of its output the first two lines are read, which say that it has begun, and the others when we say so.
    const begin = `read -r welcome; read -r users; : >${folder}/begun`;
    const command = `tail -f /dev/null | bun run client ${self} | { ${begin}; cat ${folder}/go; cat >${folder}/out; }`;
    const shell = Bun.spawn(["setsid", "sh", "-c", command], { cwd: root, env: process.env });
    afterwards(() => process.kill(-shell.pid, "SIGKILL"));
    while (!(await Bun.file(join(folder, "begun")).exists()));
    const port = /"port":(\d+)/.exec(JSON.stringify(await listed(registry)))?.[1];

    const text = "x".repeat(50_000);
    const post = (user: string) => postTo(port, { user, text });
    let taken = 0;
    let answer = await post("eve");
    for (; answer.ok; answer = await post("eve")) taken++;
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "1"]);
    // What waits in the client, and in the pipe.
    expect(taken * text.length).toBeWithin(1_000_000, 2_000_000);
    expect((await fetch(`http://${HOST}:${port}/v1/health`)).status).toBe(200);

    await Bun.write(join(folder, "go"), "");
    while (!(await post("last")).ok);
    const read = async () => [...(await Bun.file(join(folder, "out")).text()).matchAll(/x{50000}/g)].length;
    while ((await read()) <= taken);
  },
);

test("a reader who lags behind, but keeps up, gets everything, and no sender is asked to wait", async () => {
  const registry = await startRegistry();
  const pipe = join(temporaryFolder(), "pipe");
  Bun.spawnSync(["mkfifo", pipe]);
  const output = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  afterwards(() => closeSync(output));
  const self = `--name bob --port 0 --rate-limit 0 --registry ${registry.url}`;
  const command = `tail -f /dev/null | bun run client ${self} >${pipe}`;
  const shell = Bun.spawn(["setsid", "sh", "-c", command], { cwd: root, env: process.env });
  afterwards(() => process.kill(-shell.pid, "SIGKILL"));
  while (!("bob" in (await listed(registry))));
  const port = /"port":(\d+)/.exec(JSON.stringify(await listed(registry)))?.[1];

  const text = "x".repeat(2000);
  const post = async () => (await postTo(port, { user: "eve", text })).status;
  let lines = 0;
  function readSome(): void {
    const bytes = Buffer.alloc(text.length);
    try {
      const text = bytes.toString("utf8", 0, readSync(output, bytes));
      lines += text.split("\n").length - 1;
    } catch (error) {
      // The client has not written yet what its pipe has room for.
      if (errorCode(error) !== "EAGAIN") throw error;
    }
  }

  const statuses: number[] = [];
  // More than a pipe holds, so that some waits in the client; then as much is read as comes.
  for (let i = 0; i < 100; i++) statuses.push(await post());
  for (let i = 0; i < 1000; i++) {
    statuses.push(await post());
    readSome();
  }
  expect(statuses).toEqual(Array(1100).fill(200));
  // After the two lines with which it begins.
  while (lines < 2 + statuses.length) {
    readSome();
    await nextTurn();
  }
});

test("of 10,010 messages to a peer that answers nothing ten are not delivered at once, and others are not touched", async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => void server.listen(0, HOST, resolve));
  afterwards(() => server.close());
  const alive = Bun.serve({ hostname: HOST, port: 0, fetch: () => Response.json({ status: "ok" }) });
  afterwards(() => alive.stop(true));
  const bound = server.address();
  const port = typeof bound === "object" && bound ? bound.port : 0;
  const outbox = createOutbox(async () => undefined);
  afterwards(outbox.close);
  const refused: unknown[] = [];
  // One is under way, and 10,000 wait.
  for (let i = 0; i < 10_011; i++) {
    void outbox
      .send("slow", { protocol: "HTTP", host: HOST, port }, "{}")
      .then((outcome) => refused.push(outcome));
  }
  const toOther = await outbox.send("bob", { protocol: "HTTP", host: HOST, port: alive.port ?? 0 }, "{}");
  expect(toOther).toEqual({ type: "delivered" });
  expect(refused).toEqual(
    Array(10).fill({ type: "failed", reason: "10000 earlier messages are still queued" }),
  );
});
