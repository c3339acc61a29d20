/** One registry follows another on one port. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { start, startRegistry } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

/** A network of its own, in which connections that wait at a closed port are handed over. */
const OWN_NETWORK = [
  ...["unshare", "--net", "--map-root-user", "sh", "-c"],
  'ip link set lo up && echo 1 > /proc/sys/net/ipv4/tcp_migrate_req && exec "$@"',
  "sh",
];
const canMigrate = Bun.which("unshare") !== null && Bun.spawnSync([...OWN_NETWORK, "true"]).exitCode === 0;

// Skipped where no network may be made, as in most containers.
test.skipIf(!canMigrate)("no request is lost when one registry replaces another under load", async () => {
  const run = start("scripts/checks/upgrade.ts", ["3"], {}, OWN_NETWORK);
  expect(await run.sees(/^kept connections/)).toMatch(/ [1-9]\d* answered, 0 lost$/);
  expect(await run.sees(/^a connection for each/)).toMatch(/ [1-9]\d* answered, 0 lost$/);
  expect(await run.exited).toBe(0);
});
if (!canMigrate)
  process.stderr.write("skipped: an upgrade under load, because no network can be made here\n");

describe("--share-port", () => {
  test("lets two registries on one store listen on one port; without it, only one can", async () => {
    const store = ["--store", `sqlite:${join(temporaryFolder(), "users.db")}`];
    const first = await startRegistry(...store, "--share-port");
    const { port } = new URL(first.url);
    const second = await startRegistry(...store, "--share-port", "--port", port);
    expect(second.url).toBe(first.url);
    const third = start("src/registry/main.ts", [...store, "--port", port]);
    expect(await third.exited).toBe(1);
    expect(third.lines).toEqual([
      `error: port ${port} is in use; choose another with --port (0 picks a free one)`,
    ]);
    first.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    expect((await fetch(`${second.url}/v1/health`)).status).toBe(200);
  });

  test("is refused for a store that cannot be shared", async () => {
    const registry = start("src/registry/main.ts", ["--store", "memory:", "--share-port"]);
    expect(await registry.exited).toBe(2);
    expect(registry.lines).toEqual([
      "error: --share-port needs a store that registries can share, such as sqlite:talk.db",
    ]);
  });
});
