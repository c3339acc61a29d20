import { expect, test } from "bun:test";
import { start } from "./helpers/program.ts";

test.each([
  "src/registry/main.ts",
  "src/client/main.ts",
  "src/client/send.ts",
  "src/client/users.ts",
  "scripts/demo.ts",
  "scripts/conformance/main.ts",
  "scripts/bench/main.ts",
])("what %s --help says fits 80 columns", async (file) => {
  const command = start(file, ["--help"]);
  expect(await command.exited).toBe(0);
  expect(command.lines.length).toBeGreaterThan(2);
  expect(command.lines.filter((line) => line.length > 80)).toEqual([]);
});
