import { expect, test } from "bun:test";
import { join } from "node:path";
import { root, start } from "./helpers/program.ts";

const readme = await Bun.file(join(root, "README.md")).text();

test.each([
  ["registry", "src/registry/main.ts"],
  ["client", "src/client/main.ts"],
  ["send", "src/client/send.ts"],
])("the README shows what `bun run %s --help` says", async (name, file) => {
  const command = start(file, ["--help"]);
  expect(await command.exited).toBe(0);
  const [, shown] = readme.split(`$ bun run ${name} --help\n`);
  expect(shown).toStartWith(`${command.lines.join("\n").trim()}\n`);
});

test.each([
  "src/registry/main.ts",
  "src/client/main.ts",
  "src/client/send.ts",
  "scripts/demo.ts",
  "scripts/conformance/main.ts",
  "scripts/bench/main.ts",
])("what %s --help says fits 80 columns", async (file) => {
  const command = start(file, ["--help"]);
  expect(await command.exited).toBe(0);
  expect(command.lines.length).toBeGreaterThan(2);
  expect(command.lines.filter((line) => line.length > 80)).toEqual([]);
});
