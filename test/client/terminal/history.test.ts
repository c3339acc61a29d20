import { expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { statePath } from "../../../src/client/state-directory.ts";
import { openHistory } from "../../../src/client/terminal/input/history.ts";
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
  ["to a file", "elsewhere/history", true],
  ["to nothing yet", "elsewhere/history", false],
  ["to nothing, in a folder that is not there yet", "else/where/history", false],
])("behind a symbolic link %s is written where that leads", (_, target, exists) => {
  const folder = temporaryFolder();
  const [path, real] = [join(folder, "talk/history"), join(folder, target)];
  mkdirSync(join(folder, "talk"));
  symlinkSync(join("..", target), path);
  if (exists) {
    mkdirSync(join(folder, "elsewhere"));
    writeFileSync(real, "before\n");
    chmodSync(real, 0o640);
  }
  openHistory(path, fail).add("hello");
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readFileSync(real, "utf8")).toBe(exists ? "before\nhello\n" : "hello\n");
  expect(statSync(real).mode & 0o777).toBe(exists ? 0o640 : 0o600);
});

test("behind links to links and to folders, there or not, is written where they lead", () => {
  const folder = temporaryFolder();
  symlinkSync("state", join(folder, "talk"));
  const path = join(folder, "talk/history");
  openHistory(path, fail).add("one");
  symlinkSync(join(folder, "state/history"), join(folder, "first"));
  symlinkSync("first", join(folder, "second"));
  openHistory(join(folder, "second"), fail).add("two");
  expect(readFileSync(join(folder, "state/history"), "utf8")).toBe("one\ntwo\n");
  expect(readdirSync(folder).sort()).toEqual(["first", "second", "state", "talk"]);
});

test("behind a circle of links keeps nothing, and says so", () => {
  const folder = temporaryFolder();
  symlinkSync("circle", join(folder, "circle"));
  const said: string[] = [];
  openHistory(join(folder, "circle"), (sentence) => said.push(sentence)).add("hello");
  expect(said).toEqual([expect.stringContaining("ELOOP")]);
});

test.each([
  [{ XDG_STATE_HOME: "/s", HOME: "/h" }, "/s/talk/history"],
  [{ XDG_STATE_HOME: "relative", HOME: "/h" }, "/h/.local/state/talk/history"],
  [{ HOME: "/h" }, "/h/.local/state/talk/history"],
])("with %j is %s", (env, path) => {
  expect(statePath("history", env)).toBe(path);
});
