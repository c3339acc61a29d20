import { expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openSecrets } from "../../src/client/registry/secrets.ts";
import { statePath } from "../../src/client/state-directory.ts";
import { root } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

const REGISTRY = "http://10.0.0.1:8088";
const freshPath = () => statePath("key", { XDG_STATE_HOME: join(temporaryFolder(), "state") });

test("a key is made once, for its user alone, and nothing else is left behind", () => {
  const path = freshPath();
  const secret = openSecrets(REGISTRY, path)("alice");
  expect(secret).toMatch(/^[\w-]{43}$/);
  expect(openSecrets(REGISTRY, path)("alice")).toBe(secret);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(path, ".."))).toEqual(["key"]);
  expect(readFileSync(path, "utf8")).not.toContain(secret);
});

test("a key behind a symbolic link that leads to nothing yet is made where it leads", () => {
  const folder = temporaryFolder();
  const path = join(folder, "key");
  symlinkSync("elsewhere/key", path);
  const secret = openSecrets(REGISTRY, path)("alice");
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(openSecrets(REGISTRY, join(folder, "elsewhere/key"))("alice")).toBe(secret);
});

test("a secret is one name's at one registry, however its URL is written", () => {
  const path = freshPath();
  const secret = openSecrets(REGISTRY, path)("alice");
  for (const same of [`${REGISTRY}/`, "HTTP://10.0.0.1:8088", "http://user:pass@10.0.0.1:8088//"]) {
    expect(openSecrets(same, path)("alice")).toBe(secret);
  }
  const others = [
    "http://10.0.0.1:8089",
    "http://10.0.0.2:8088",
    "https://10.0.0.1:8088",
    `${REGISTRY}/talk`,
  ];
  const secrets = [
    ...others.map((url) => openSecrets(url, path)("alice")),
    openSecrets(REGISTRY, path)("bob"),
  ];
  expect(new Set([secret, ...secrets]).size).toBe(6);
});

test("a registry on this machine is one, by whichever name, and another on each port", () => {
  const path = freshPath();
  const secretAt = (url: string) => openSecrets(url, path)("alice");
  const names = ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"].map((host) =>
    secretAt(`http://${host}:8088/`),
  );
  expect(new Set(names)).toEqual(new Set([secretAt("http://localhost:8088")]));
  expect(secretAt("http://localhost:8089")).not.toBe(secretAt("http://localhost:8088"));
  expect(secretAt("http://localhost")).toBe(secretAt("http://localhost:80"));
});

test("clients that start at once agree on one key", async () => {
  const path = freshPath();
  const script = `import { openSecrets } from "${root}/src/client/registry/secrets.ts";
    process.stdout.write(openSecrets("${REGISTRY}", "${path}")("alice"));`;
  const starts = Array.from({ length: 8 }, () => Bun.spawn([process.execPath, "-e", script]));
  const secrets = await Promise.all(starts.map(({ stdout }) => new Response(stdout).text()));
  expect(new Set(secrets)).toEqual(new Set([openSecrets(REGISTRY, path)("alice")]));
});

test.each(["", "short\n", `${"x".repeat(43)}\nmore`])("%j is no key, and is kept as it is", (text) => {
  const path = freshPath();
  openSecrets(REGISTRY, path);
  writeFileSync(path, text);
  const sentence = `there is no key in ${path}; restore it, or remove it to get a new one`;
  expect(() => openSecrets(REGISTRY, path)).toThrow(sentence);
  expect(readFileSync(path, "utf8")).toBe(text);
});

test("a key that others can read is not used", () => {
  const path = freshPath();
  openSecrets(REGISTRY, path);
  chmodSync(path, 0o640);
  const sentence = `others can read your key; if none has, run: chmod 600 ${path}`;
  expect(() => openSecrets(REGISTRY, path)).toThrow(sentence);
});

test("where there can be no folder, there is no key", () => {
  const path = statePath("key", { XDG_STATE_HOME: "/dev/null" });
  expect(() => openSecrets(REGISTRY, path)).toThrow(`the key cannot be kept in ${path} (ENOTDIR)`);
});

test("the state folder is the user's, by default that of the home", () => {
  expect(statePath("key", { XDG_STATE_HOME: "/s", HOME: "/h" })).toBe("/s/talk/key");
  // A relative path there is invalid, says the specification.
  expect(statePath("key", { XDG_STATE_HOME: "s", HOME: "/h" })).toBe("/h/.local/state/talk/key");
});
