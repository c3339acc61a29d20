/**
 * One registry replaces another on the same port: `bun scripts/checks/upgrade.ts [times]` (20 by default).
 *
 * Under load from clients that keep their connections and clients that open one per request, the next registry starts and
 * the previous one gets SIGTERM. Exits 1 if a request was not answered with 200, provided that the system migrates queued
 * connections (`sysctl -w net.ipv4.tcp_migrate_req=1`).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENT } from "./shared/ask.ts";
import { type Counts, sendRequests } from "./shared/connection.ts";
import { progress } from "./shared/progress.ts";
import { startRegistry } from "./shared/registry.ts";

const LANES = 16;
/** How long both registries run together, and then the new one alone, in milliseconds. */
const PAUSE_MS = 100;

const times = Number(process.argv[2] ?? 20);
const migrates = (await Bun.file("/proc/sys/net/ipv4/tcp_migrate_req").text()).trim() === "1";
const folder = mkdtempSync(join(tmpdir(), "talk-upgrade-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const store = `sqlite:${join(folder, "users.db")}`;
const args = ["--share-port", ...PATIENT];

let registry = await startRegistry(store, args);
const { port } = new URL(registry.url);
const counts = { kept: { answered: 0, lost: 0 }, fresh: { answered: 0, lost: 0 } };
let over = false;
const lanes = Array.from({ length: LANES }, (_, i) => [
  load(`kept-${i}`, true, counts.kept),
  load(`fresh-${i}`, false, counts.fresh),
]).flat();
for (let i = 0; i < times; i++) {
  await Bun.sleep(PAUSE_MS);
  const next = await startRegistry(store, [...args, "--port", port]);
  await Bun.sleep(PAUSE_MS);
  await registry.end("SIGTERM");
  registry = next;
  progress(i + 1, times, `upgrades, ${counts.kept.lost + counts.fresh.lost} requests lost`);
}
over = true;
await Promise.all(lanes);
await registry.end("SIGTERM");

process.stdout.write(
  [
    `upgrades                ${times}, tcp_migrate_req ${migrates ? "on" : "off: queued connections may be reset"}`,
    `kept connections        ${counts.kept.answered} answered, ${counts.kept.lost} lost`,
    `a connection for each   ${counts.fresh.answered} answered, ${counts.fresh.lost} lost`,
    "",
  ].join("\n"),
);
process.exit(counts.kept.lost === 0 && (counts.fresh.lost === 0 || !migrates) ? 0 : 1);

function load(user: string, keepAlive: boolean, counted: Counts): Promise<void> {
  const body = JSON.stringify({ protocol: "UDP", host: "127.0.0.1", port: 1 });
  const request = [
    `PUT /v1/users/${user} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    ...(keepAlive ? [] : ["Connection: close"]),
    "",
    body,
  ].join("\r\n");
  return sendRequests(Number(port), request, { keepAlive, counts: counted, until: () => over });
}
