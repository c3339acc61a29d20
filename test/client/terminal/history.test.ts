import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { statePath } from "../../../src/client/state.ts";
import { openHistory } from "../../../src/client/terminal/history.ts";
import { temporaryFolder } from "../../helpers/registry.ts";

function fail(sentence: string): never {
  throw new Error(sentence);
}

test("of two clients at once loses no line and keeps none twice", () => {
  const path = join(temporaryFolder(), "talk/history");
  const [first, second] = [openHistory(path, fail), openHistory(path, fail)];
  for (let i = 0; i < 50; i++) {
    first.add(`first ${i}`);
    second.add(`second ${i}`);
    second.add("both");
    first.add("both");
  }
  expect(openHistory(path, fail).lines().length).toBe(101);
  expect(first.lines().at(-1)).toBe("both");
});

test("keeps the last 1,000 lines", () => {
  const path = join(temporaryFolder(), "talk/history");
  const history = openHistory(path, fail);
  for (let i = 0; i < 1010; i++) history.add(String(i));
  expect(readFileSync(path, "utf8").trim().split("\n").length).toBe(1000);
  expect(openHistory(path, fail).lines().slice(0, 1)).toEqual(["10"]);
});

test("keeps a message of several lines in one", () => {
  const path = join(temporaryFolder(), "talk/history");
  const text = "a\\nb\nc\\\n";
  openHistory(path, fail).add(text);
  expect(openHistory(path, fail).lines()).toEqual([text]);
  expect(readFileSync(path, "utf8").split("\n").length).toBe(2);
});

test.each([
  [{ XDG_STATE_HOME: "/s", HOME: "/h" }, "/s/talk/history"],
  [{ XDG_STATE_HOME: "relative", HOME: "/h" }, "/h/.local/state/talk/history"],
  [{ HOME: "/h" }, "/h/.local/state/talk/history"],
])("with %j is %s", (env, path) => {
  expect(statePath("history", env)).toBe(path);
});
