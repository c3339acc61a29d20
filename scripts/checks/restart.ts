/**
 * Restarts a registry under many clients: `bun scripts/checks/restart.ts [clients] [downtime in s]`, by default 10,000 and
 * 2 s. Each client is registered on SQLite and reads the event stream, with the backoff of Talk's own client. Exits 1 if
 * not all are back within 60 s, there are more than 2,000 requests in a second, or a user is lost.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "bun";
import { backoffMs } from "../../src/client/registry/follow-changes.ts";
import { openStore } from "../../src/registry/stores/index.ts";
import { freePort } from "../../test/helpers/port.ts";
import { PATIENT } from "./shared/ask.ts";
import { startRegistry } from "./shared/registry.ts";

const [clients = 10_000, downSeconds = 2] = process.argv.slice(2).map(Number);
const MAX_BACK_MS = 60_000;
const MAX_REQUESTS = 2000;
process.env.NO_PROXY = "*";

const folder = mkdtempSync(join(tmpdir(), "talk-restart-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const path = `sqlite:${join(folder, "users.db")}`;
const store = await openStore(path, { maxUsers: 1_000_000 });
await Promise.all(
  Array.from({ length: clients }, (_, i) =>
    store.put(`user-${i}`, { protocol: "UDP", host: "127.0.0.1", port: 1 + (i % 65_000) }),
  ),
);
await store.close();

const port = freePort();
let registry = await start();
const url = registry.url;
const list = await (await fetch(`${url}/v1/users/`)).text();
let state = "";
let live = 0;
let asked: number[] = [];
let isFirstTime = true;

// The first client fetches the state that all others then share.
await connect(0, 1000, true);
while (state === "") await Bun.sleep(5);
for (let i = 1; i < clients; i++) {
  void connect(0, 1000, false);
  if (i % 100 === 0) while (live < i - 100) await Bun.sleep(1);
}
while (live < clients) await Bun.sleep(10);
// The next comment tells all clients how long to wait before reconnecting.
await Bun.sleep(16_000);
isFirstTime = false;
asked = [];
await registry.end("SIGTERM");
const down = performance.now();
await Bun.sleep(downSeconds * 1000);
registry = await start();
const up = performance.now();
while (live < clients && performance.now() - up < MAX_BACK_MS) await Bun.sleep(10);
const back = performance.now() - up;
const perSecond = Math.max(
  ...Map.groupBy(
    asked.filter((at) => at > up),
    (at) => Math.floor((at - up) / 1000),
  )
    .values()
    .map(({ length }) => length),
);
const isSame = (await (await fetch(`${url}/v1/users/`)).text()) === list;

const faults = [
  live < clients && `${clients - live} clients are not back`,
  perSecond > MAX_REQUESTS && `${perSecond} requests in a second`,
  !isSame && "the list is another one",
].filter(Boolean);
process.stdout.write(
  [
    `clients                 ${clients}, a registry on sqlite away for ${((up - down) / 1000).toFixed(1)} s`,
    `all back                ${(back / 1000).toFixed(1)} s after it was there again`,
    `requests a second       ${perSecond} at most`,
    `registrations lost      ${isSame ? 0 : "some"}`,
    ...faults.map((fault) => `FAULT: ${fault}`),
    "",
  ].join("\n"),
);
await registry.end();
process.exit(faults.length === 0 ? 0 : 1);

function start() {
  return startRegistry(path, [...PATIENT, "--max-users", "1000000", "--port", String(port)]);
}

/** Opens one client's stream, and reopens it when it is lost. */
async function connect(failures: number, retryMs: number, isLoud: boolean): Promise<void> {
  let hasBegun = false;
  let retry = retryMs;
  let text = "";

  function lost(): void {
    if (hasBegun) live--;
    const next = hasBegun ? 0 : failures + 1;
    setTimeout(() => void connect(next, retry, false), isFirstTime ? 0 : backoffMs(retry, next, Math.random));
  }

  function take(_: Socket, chunk: Buffer): void {
    if (!hasBegun) {
      // Refused, as by a registry that is shutting down.
      if (!chunk.toString("latin1").startsWith("HTTP/1.1 200")) return void _.end();
      hasBegun = true;
      live++;
    }
    if (chunk.byteLength < 1000 || isLoud) {
      text = chunk.toString("latin1");
      retry = Number(/^retry: (\d+)/m.exec(text)?.[1] ?? retry);
      state = /^id: (\S+)/m.exec(text)?.[1] ?? state;
    }
  }

  try {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: { data: take, close: lost, error() {}, connectError() {} },
    });
    asked.push(performance.now());
    const lastId = state === "" ? "" : `Last-Event-ID: ${state}\r\n`;
    socket.write(`GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lastId}\r\n`);
  } catch {
    lost();
  }
}
