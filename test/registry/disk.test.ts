/** A registry whose disk is full or read-only: a small tmpfs that only that process sees. */
import { describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listed, type Program, start } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

const HERE = { protocol: "HTTP", host: "127.0.0.1", port: 8080 };
const DISK_BYTES = 400 * 1024;

const canMount =
  Bun.spawnSync(["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "none", "/mnt"])
    .exitCode === 0;

/** Starts a registry on a disk of its own. @param prepare shell commands on it, which is `$0` */
function startOn(disk: string, prepare = ":"): Program {
  const mount = `mount -t tmpfs -o size=${DISK_BYTES} none "$0" && (${prepare}) 2>/dev/null; exec "$@"`;
  return start("src/registry/main.ts", ["--port", "0", "--store", `sqlite:${disk}/users.db`], {}, [
    "unshare",
    "--mount",
    "--map-root-user",
    "sh",
    "-c",
    mount,
    disk,
  ]);
}

async function put(url: string, user: string): Promise<number> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/v1/users/${user}`, {
    method: "PUT",
    headers,
    body: JSON.stringify(HERE),
  });
  await answer.text();
  return answer.status;
}

// Skipped where nothing may be mounted, as in most containers.
describe.skipIf(!canMount)("a disk", () => {
  test("that fills up makes writes fail with 503, loses no acknowledged one, and works again once there is room", async () => {
    const disk = temporaryFolder();
    const registry = startOn(disk);
    const url = /http:\S+(?=,)/.exec(await registry.sees(/^registry at/))?.[0] ?? "";
    expect(await put(url, "first")).toBe(200);
    const filler = join(`/proc/${registry.pid}/root`, disk, "filler");
    expect(() => writeFileSync(filler, Buffer.alloc(DISK_BYTES))).toThrow("ENOSPC");
    const stored = ["first"];
    for (let i = 0; ; i++) {
      const status = await put(url, `user-${i}`);
      if (status === 200) stored.push(`user-${i}`);
      else {
        expect(status).toBe(503);
        break;
      }
    }
    expect(Object.keys(await listed({ url })).sort()).toEqual(stored.sort());
    rmSync(filler);
    expect(await put(url, "last")).toBe(200);
    expect(Object.keys(await listed({ url })).sort()).toEqual([...stored, "last"].sort());
  });

  test.each([
    ["that is full", 'cat /dev/zero > "$0/filler"'],
    ["that is read-only", 'mount -o remount,ro "$0"'],
  ])("%s is reported in one line at the start", async (_, prepare) => {
    const disk = temporaryFolder();
    const registry = startOn(disk, prepare);
    expect(await registry.exited).toBe(1);
    expect(registry.lines).toEqual([
      expect.stringMatching(
        /^error: cannot open the store .*users\.db: .*; check the file, its folder and the disk\.$/,
      ),
    ]);
  });
});

if (!canMount)
  process.stderr.write("skipped: full and read-only disks, because nothing may be mounted here\n");
