import { expect, test } from "bun:test";
import { createEntries } from "../../../src/client/terminal/view/entries.ts";
import { createScrollback } from "../../../src/client/terminal/view/scrollback.ts";
import { createTheme } from "../../../src/client/terminal/view/theme.ts";

test("a date stands above the first entry of another day, and not above the others", () => {
  let at = new Date(2026, 1, 28, 23, 58);
  const entries = createEntries(createTheme({ NO_COLOR: "1" }));
  const scrollback = createScrollback(entries, () => at);
  const shown = () => scrollback.drain(80).map(({ text }) => text);
  const hear = (text: string) => scrollback.add(entries.message(scrollback.time(), "bob", text));

  hear("late");
  at = new Date(2026, 2, 1, 0, 3);
  hear("later");
  hear("still here");
  expect(shown()).toEqual([
    "23:58 bob: late",
    "--- 2026-03-01 ---",
    "00:03 bob: later",
    "00:03 bob: still here",
  ]);
  // Nobody wrote for two days.
  at = new Date(2026, 2, 3, 9, 0);
  hear("morning");
  expect(shown()).toEqual(["--- 2026-03-03 ---", "09:00 bob: morning"]);
});
