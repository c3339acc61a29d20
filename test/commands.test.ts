/** What all commands have in common: --version, -h, and where the registry and one's name are taken from. */
import { describe, expect, test } from "bun:test";
import { closeSync, constants, openSync } from "node:fs";
import { join } from "talk/client";
import manifest from "../package.json" with { type: "json" };
import { registryOf } from "../src/client/flag-values.ts";
import { openRegistry, put } from "./helpers/chat.ts";
import { root, start, startClient } from "./helpers/program.ts";
import { temporaryFolder } from "./helpers/registry.ts";
import { run } from "./helpers/run.ts";

const ADDRESS = { protocol: "HTTP", host: "127.0.0.1", port: 1 };

describe.each([
  "src/client/main.ts",
  "src/client/send.ts",
  "src/client/users.ts",
  "src/registry/main.ts",
  "scripts/demo.ts",
  "scripts/conformance/main.ts",
  "scripts/bench/main.ts",
  "scripts/build.ts",
])("%s", (file) => {
  test("prints its version, and its usage with -h", async () => {
    const version = `talk ${manifest.version}\n`;
    expect(await run(file, ["--version"])).toEqual({ stdout: version, stderr: "", exitCode: 0 });
    const help = await run(file, ["-h"]);
    expect([help.stderr, help.exitCode]).toEqual(["", 0]);
    expect(help.stdout).toMatch(/usage/i);
  });
});

test.each([
  ["db", "http://db:8088"],
  ["db:9000", "http://db:9000"],
  ["db/talk/", "http://db:8088/talk/"],
  ["10.0.0.1", "http://10.0.0.1:8088"],
  ["[::1]:9000", "http://[::1]:9000"],
  ["::1", "http://[::1]:8088"],
  ["http://db/talk", "http://db/talk"],
])("--registry %s means %s", (text, url) => {
  expect(registryOf(text)).toBe(url);
});

test.each(["", "a b", "ftp://db", "db:port", "db:99999", "user@db", "db?x"])(
  "--registry %j is refused",
  (text) => {
    expect(() => registryOf(text)).toThrow("--registry must be a URL");
  },
);

test("a client takes TALK_NAME and TALK_REGISTRY from the environment", async () => {
  const registry = await openRegistry();
  const env = { TALK_NAME: "alice", TALK_REGISTRY: new URL(registry.url).host };
  const alice = start("src/client/main.ts", ["--port", "0"], env);
  await alice.sees(/^alice .*\(you\)$/);
});

test("no client may be called healthCheck, by flag, environment or library; the registry accepts the name", async () => {
  const registry = await openRegistry();
  const stderr = expect.stringMatching(/^error: --name must not be healthCheck/);
  expect(await run("src/client/main.ts", ["--name", "healthCheck"])).toMatchObject({ stderr, exitCode: 2 });
  await expect(join({ name: "healthCheck", registry: registry.url })).rejects.toThrow("healthCheck");
  await put(registry, "healthCheck", ADDRESS);
  expect(await (await fetch(`${registry.url}/v1/users/healthCheck`)).json()).toEqual(ADDRESS);
});

test("a user is warned of another name that differs only in case", async () => {
  const registry = await openRegistry();
  const bob = await startClient("Bob", registry);
  const later = await startClient("bob", registry);
  expect(later.lines.filter((line) => line.startsWith("warning: Bob is here already")).length).toBe(1);
  bob.type(":update");
  await bob.sees(/^Bob .*\(you\)$/);
  expect(bob.lines.join()).not.toContain("warning");
});

test("talk help explains all commands, or one", async () => {
  const all = await run("scripts/talk.ts", ["help"]);
  expect(all).toEqual(await run("scripts/talk.ts", ["--help"]));
  expect(await run("scripts/talk.ts", ["help", "send"])).toEqual(
    await run("scripts/talk.ts", ["send", "-h"]),
  );
  expect(await run("scripts/talk.ts", ["help", "sned"])).toMatchObject({ exitCode: 2 });
});

test.each([
  [["--versoin"], "unknown option --versoin; did you mean --version?"],
  [["sned"], "no such command: sned; did you mean send?"],
  [["help", "send", "extra"], 'unexpected "extra"; see talk help'],
  [["send", "-n", "bob"], "unknown option -n; did you mean --name?"],
  [["send", "--json=x", "--to", "bob", "hello"], "--json takes no value"],
  [["client", "--no-transcript=x"], "--no-transcript takes no value"],
])("the usage error of talk %j says what is meant", async (args, sentence) => {
  const stderr = `error: ${sentence}\n`;
  expect(await run("scripts/talk.ts", args)).toEqual({ stdout: "", stderr, exitCode: 2 });
});

test.each([
  [
    "send",
    ["--to", "bob", "hello"],
    "http://127.0.0.1:1",
    "(connection refused); start one with: talk registry --port 1",
  ],
  ["users", [], "http://127.0.0.1:1", "(connection refused); start one with: talk registry --port 1"],
  [
    "client",
    [],
    "http://talk.invalid:8088",
    "check how --registry is spelt, or start one with: talk registry",
  ],
])(
  "talk %s without a registry says how to start one, or to check its name",
  async (command, args, url, advice) => {
    const { stderr, exitCode } = await run("scripts/talk.ts", [command, ...args, "--registry", url]);
    expect(stderr).toContain(advice);
    expect(exitCode).toBe(1);
  },
);

test.each([
  [["client", "--nope"]],
  [["send", "--to", "bob", "--registry", "127.0.0.1:1", "hello"]],
  [["nope"]],
])("an error is written to a terminal without colour: talk %j", async (args) => {
  const { NO_COLOR: _, ...env } = process.env;
  const line = Promise.withResolvers<string>();
  let written = "";
  Bun.spawn([process.execPath, `${root}/scripts/talk.ts`, ...args], {
    env,
    terminal: {
      data(_, bytes) {
        written += Buffer.from(bytes);
        if (written.includes("\n")) line.resolve(written);
      },
    },
  });
  expect(await line.promise).toStartWith("error: ");
  expect(Bun.stripANSI(written)).toBe(written);
});

test("an error is written to a stderr that nobody reads without another error", async () => {
  const pipe = `${temporaryFolder()}/pipe`;
  Bun.spawnSync(["mkfifo", pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(pipe, constants.O_WRONLY);
  closeSync(reader);
  const child = Bun.spawn([process.execPath, `${root}/scripts/talk.ts`, "nope"], { stderr: writer });
  expect([await child.stdout.text(), await child.exited]).toEqual(["", 2]);
  closeSync(writer);
});
