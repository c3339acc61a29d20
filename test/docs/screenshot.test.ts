import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { start } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/registry.ts";

test("the screenshot of a conversation is drawn from real clients", async () => {
  const file = join(temporaryFolder(), "conversation.svg");
  const script = start("scripts/screenshots/conversation.ts", [file]);
  expect(await script.exited).toBe(0);
  expect(existsSync(file)).toBe(true);
  const words = (await Bun.file(file).text()).replaceAll("\u00a0", " ");
  for (const said of ["hi bob, lunch at one?", "one is fine – the usual place?", "[carol 1]"]) {
    expect(words).toContain(said);
  }
});
