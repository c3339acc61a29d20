/** The one binary, alone in a folder that is not well disposed to it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, readdirSync, rmSync } from "node:fs";
import { join as path } from "node:path";
import { join } from "talk/client";
import { createRegistry } from "talk/registry";
import manifest from "../package.json" with { type: "json" };
import { readLines } from "../src/client/read-lines.ts";
import { afterwards } from "./helpers/afterwards.ts";
import { root } from "./helpers/program.ts";
import { temporaryFolder } from "./helpers/registry.ts";

const built = path(root, "dist/talk-under-test");

beforeAll(async () => {
  const build = Bun.spawn([process.execPath, path(root, "scripts/build.ts"), built], { stdout: "ignore" });
  expect(await build.exited).toBe(0);
});

afterAll(() => rmSync(built));

/** A folder with the binary and files that would lead it astray, were they read. */
async function openFolder() {
  const folder = temporaryFolder();
  copyFileSync(built, path(folder, "talk"));
  chmodSync(path(folder, "talk"), 0o755);
  await Bun.write(
    path(folder, ".env"),
    "USER=mallory\nLOGNAME=mallory\nBUN_OPTIONS=--preload=./preload.ts\n",
  );
  await Bun.write(path(folder, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  await Bun.write(path(folder, "preload.ts"), 'await Bun.write("preloaded", "by this folder");\n');
  const files = readdirSync(folder);

  /** Runs it to its end, where there is no Bun. */
  async function talk(...args: string[]) {
    const child = start(...args);
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { stdout, stderr, exitCode };
  }

  function start(...args: string[]) {
    const child = Bun.spawn([path(folder, "talk"), ...args], {
      cwd: folder,
      env: { PATH: "/usr/bin:/bin", HOME: folder, XDG_STATE_HOME: process.env.XDG_STATE_HOME },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    afterwards(() => child.kill("SIGKILL"));
    return child;
  }

  return { talk, start, added: () => readdirSync(folder).filter((file) => !files.includes(file)) };
}

test("the hostile folder does affect Bun itself", async () => {
  const folder = temporaryFolder();
  await Bun.write(path(folder, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  await Bun.write(path(folder, "preload.ts"), 'await Bun.write("preloaded", "by this folder");\n');
  await Bun.write(path(folder, "program.ts"), "");
  await Bun.spawn([process.execPath, "program.ts"], { cwd: folder }).exited;
  expect(readdirSync(folder)).toContain("preloaded");
});

describe("alone in a hostile folder", () => {
  test("runs the demo, and nothing from the folder", async () => {
    const { talk, added } = await openFolder();
    const { stdout, stderr, exitCode } = await talk("demo");
    for (const bot of ["echo-http", "echo-websocket", "echo-udp"]) {
      expect(stdout).toContain(`${bot}: hello ${bot}\n`);
    }
    expect({ stderr, exitCode, added: added() }).toEqual({ stderr: "", exitCode: 0, added: [] });
  });

  test("sends under the login name, not the one in .env", async () => {
    const registry = await createRegistry({ store: "memory:" });
    afterwards(() => registry.close());
    const url = await registry.listen({ port: 0 });
    const bob = await join({ name: "bob", registry: url, port: 0 });
    afterwards(() => bob.close());
    const { talk } = await openFolder();
    expect(await talk("send", "--to", "bob", "--registry", url, "hello")).toEqual({
      stdout: "delivered to bob\n",
      stderr: "",
      exitCode: 0,
    });
    for await (const event of bob) {
      if (event.type !== "message") continue;
      expect(event.user).not.toBe("mallory");
      break;
    }
  });

  test("runs a registry with its docs, and clients", async () => {
    const { start, talk, added } = await openFolder();
    const registry = start("registry", "--port", "0");
    const { value: line = "" } = await readLines(registry.stdout).next();
    const url = /http:\S+(?=,)/.exec(line)?.[0] ?? "";
    expect((await fetch(`${url}/swagger`)).status).toBe(200);
    expect((await (await fetch(`${url}/swagger/swagger-ui.js`)).text()).length).toBeGreaterThan(500_000);
    expect(await (await fetch(`${url}/swagger/json`)).json()).toMatchObject({ openapi: "3.1.0" });
    const alice = await talk("client", "--name", "alice", "--port", "0", "--registry", url);
    expect(alice.stdout).toMatch(/^you are alice at .*\nalice {2}http:.* {2}\(you\)\n$/);
    registry.kill("SIGTERM");
    expect(await registry.exited).toBe(0);
    expect(added()).toEqual(["talk.db"]);
  });
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "exits 0 when its whole group gets %s twice, and leaves no name registered",
  async (signal) => {
    const registry = await createRegistry({ store: "memory:" });
    afterwards(() => registry.close());
    const url = await registry.listen({ port: 0 });
    const flags = ["--name", "alice", "--port", "0", "--registry", url];
    // The shell of a pipe in a group of its own, whose input stays open.
    const child = Bun.spawn(["sh", "-c", 'exec "$0" "$@"', built, "client", ...flags], {
      detached: true,
      stdin: "pipe",
      stdout: "pipe",
    });
    afterwards(() => child.kill("SIGKILL"));
    const lines = readLines(child.stdout);
    for (let next = await lines.next(); !next.value?.endsWith("(you)"); next = await lines.next());
    for (let i = 0; i < 2; i++) process.kill(-child.pid, signal);
    expect(await child.exited).toBe(0);
    expect(await (await fetch(`${url}/v1/users`)).json()).toEqual({});
  },
);

describe("on its command line", () => {
  test.each(["registry", "client", "send", "users", "demo", "conformance"])(
    "%s --help names it as it was called",
    async (command) => {
      const { talk } = await openFolder();
      const { stdout, exitCode } = await talk(command, "--help");
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`USAGE talk ${command}`);
      expect(stdout).not.toContain("bun run");
    },
  );

  test("an error names the command as it was typed", async () => {
    const { talk } = await openFolder();
    expect((await talk("client", "--registry", "http://127.0.0.1:1")).stderr).toBe(
      "error: no registry at http://127.0.0.1:1 (connection refused); start one with: talk registry --port 1\n",
    );
  });

  test("--version and --help work, and an unknown command is reported with the one meant", async () => {
    const { talk } = await openFolder();
    expect(await talk("--version")).toEqual({
      stdout: `talk ${manifest.version}\n`,
      stderr: "",
      exitCode: 0,
    });
    const help = await talk("--help");
    for (const command of ["registry", "client", "send", "users", "demo", "conformance"])
      expect(help.stdout).toContain(`  ${command} `);
    expect(await talk()).toEqual(help);
    const wrong = await talk("cleint");
    expect(wrong).toEqual({
      stdout: "",
      stderr: "error: no such command: cleint; did you mean client?\n",
      exitCode: 2,
    });
    expect((await talk("constructor")).exitCode).toBe(2);
  });
});
