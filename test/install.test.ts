/** Installed from a packed archive, as a user does it who has no clone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { root } from "./helpers/program.ts";

const folder = mkdtempSync(join(tmpdir(), "talk-install-"));
const home = join(folder, "bun");
const state = { BUN_INSTALL: home, XDG_STATE_HOME: join(folder, "state"), NO_COLOR: "1" };

/** Runs a command to its end in a folder with nothing of Talk in it. */
async function run(...command: string[]) {
  const child = Bun.spawn(command, {
    cwd: folder,
    env: { ...process.env, ...state },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}

const talk = (...args: string[]) => run(join(home, "bin/talk"), ...args);

/** Why nothing can be installed here; undefined once it is. */
let missing: string | undefined;

beforeAll(async () => {
  const pack = Bun.spawn([process.execPath, "pm", "pack", "--destination", folder], {
    cwd: root,
    stdout: "ignore",
    stderr: "inherit",
  });
  expect(await pack.exited).toBe(0);
  const archive = join(folder, `${manifest.name}-${manifest.version}.tgz`);
  const { stderr, exitCode } = await run(process.execPath, "add", "--global", archive);
  if (exitCode === 0) return;
  const unreachable = /ConnectionRefused|ConnectionClosed|ENOTFOUND|DNS|Timeout|FailedToOpenSocket/i;
  if (!unreachable.test(stderr)) throw new Error(`bun add --global failed:\n${stderr}`);
  missing = "the registry of packages cannot be reached";
  process.stderr.write(`skipped: what an installed talk does, because ${missing}\n`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("an installed archive has every command, and its help names them as they are typed", async () => {
  if (missing) return;
  const { stdout } = await talk("--help");
  const commands = [...stdout.matchAll(/^ {2}(\w+) /gm)].map(([, name = ""]) => name);
  expect(commands).toEqual(
    expect.arrayContaining(["registry", "client", "send", "users", "demo", "conformance"]),
  );
  for (const command of commands) {
    const help = await talk(command, "--help");
    expect({ command, stderr: help.stderr, exitCode: help.exitCode }).toEqual({
      command,
      stderr: "",
      exitCode: 0,
    });
    expect(help.stdout).toContain(`USAGE talk ${command}`);
  }
});

test("an installed archive runs its bundle, and packing leaves no stale bundle in the clone", async () => {
  if (missing) return;
  const source = join(home, "install/global/node_modules/talk/scripts/talk.ts");
  rmSync(source);
  const { stdout, exitCode } = await talk("--version");
  expect({ stdout, exitCode }).toEqual({ stdout: `talk ${manifest.version}\n`, exitCode: 0 });
  expect(existsSync(join(root, "dist/bundle"))).toBe(false);
});

test("an installed archive runs the demo, with a registry, clients and all protocols", async () => {
  if (missing) return;
  const { stdout, stderr, exitCode } = await talk("demo");
  for (const bot of ["echo-http", "echo-websocket", "echo-udp"]) {
    expect(stdout).toContain(`${bot}: hello ${bot}\n`);
  }
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
});

test("an installed registry serves its API docs from its own files, and passes the installed checks", async () => {
  if (missing) return;
  const registry = Bun.spawn([join(home, "bin/talk"), "registry", "--port", "0", "--store", "memory:"], {
    cwd: folder,
    env: { ...process.env, ...state },
    stdout: "pipe",
    stderr: "ignore",
  });
  try {
    let said = "";
    for await (const text of registry.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.includes("\n")) break;
    }
    const url = /http:\S+(?=,)/.exec(said)?.[0] ?? "";
    const script = await fetch(`${url}/swagger/swagger-ui.js`);
    expect((await script.text()).length).toBeGreaterThan(500_000);
    const checks = await talk("conformance", "--registry", url);
    expect({ failed: checks.stdout.match(/^failed .*/gm), exitCode: checks.exitCode }).toEqual({
      failed: null,
      exitCode: 0,
    });
  } finally {
    registry.kill();
    await registry.exited;
  }
});
