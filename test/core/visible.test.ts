import { expect, test } from "bun:test";
import { visible, visibleName } from "../../src/core/visible.ts";

test.each([
  ["a\nb\r\tc", "a\\nb\\r\\tc"],
  ["\x1b[31mred\x1b[0m", "\\e[31mred\\e[0m"],
  ["\x00\x07\x08\x7f", "\\u{00}\\u{07}\\u{08}\\u{7f}"],
  ["\x9b31m\x90", "\\u{9b}31m\\u{90}"],
  ["\u202eevil\u2066", "\\u{202e}evil\\u{2066}"],
  ["a\u200bb\u200c\u200d\ufeff\u2060\u00ad", "a\\u{200b}b\\u{200c}\\u{200d}\\u{feff}\\u{2060}\\u{ad}"],
  ["\u2028\u2029", "\\u{2028}\\u{2029}"],
  ["\u{e0041}\u{e007f}", "\\u{e0041}\\u{e007f}"],
  ["\u3164\u115f\u034f\ufe0f", "\\u{3164}\\u{115f}\\u{34f}\\u{fe0f}"],
  ["\ufff9\u0600\u{110bd}", "\\u{fff9}\\u{600}\\u{110bd}"],
  ["\ud800x\udc00", "\\u{d800}x\\u{dc00}"],
  ["\uffff\u{1fffe}", "\\u{ffff}\\u{1fffe}"],
  [`a${"\u0301".repeat(6)}`, `a${"\u0301".repeat(4)}\\u{301}\\u{301}`],
])("%j is shown as %s", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test.each(["hello", "é ñ ü", "日本語 한국어 العربية עברית", "❤️ 👩‍👩‍👧 👍🏽 🏳️‍🌈", "e\u0301", "C:\\n"])(
  "%s stays as it is",
  (text) => {
    expect(visible(text)).toBe(text);
  },
);

test.each([
  ["bob", "bob"],
  ["__proto__", "__proto__"],
  ["A-b_c.1", "A-b_c.1"],
  ["bob: hi", '"bob: hi"'],
  ["..", '".."'],
  ["", '""'],
  ["b".repeat(65), `"${"b".repeat(65)}"`],
  ['"bob"\n', '"\\"bob\\"\\n"'],
])("the name %j is shown as %s", (name, shown) => {
  expect(visibleName(name)).toBe(shown);
});
