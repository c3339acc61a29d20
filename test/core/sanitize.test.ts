import { expect, test } from "bun:test";
import { visible, visibleName, visibleText } from "../../src/core/sanitize.ts";

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
  // Joiners where no script needs them, twice, or beside what is none of its letters.
  ["a\u200cb\u200da", "a\\u{200c}b\\u{200d}a"],
  ["\u200c\u06cc", "\\u{200c}\u06cc"],
  ["\u06cc\u200c", "\u06cc\\u{200c}"],
  ["\u06cc\u200c a", "\u06cc\\u{200c} a"],
  ["\u06cc\u200c\u200c\u062e", "\u06cc\\u{200c}\\u{200c}\u062e"],
  ["\u0631\u200c\u0647", "\u0631\\u{200c}\u0647"],
  ["\u06cc\u200d\u062e", "\u06cc\\u{200d}\u062e"],
  ["\u06cc\u00ad\u200c\u062e", "\u06cc\\u{ad}\\u{200c}\u062e"],
  ["\u0915\u200d\u0937", "\u0915\\u{200d}\u0937"],
  ["\u0915\u094d\u200d\u200d\u200c", "\u0915\u094d\u200d\\u{200d}\\u{200c}"],
  // Selectors and tags that are part of nothing.
  ["1\ufe0f", "1\\u{fe0f}"],
  ["a\ufe0f\u20e3", "a\\u{fe0f}\u20e3"],
  ["1\ufe0f\ufe0f\u20e3", "1\\u{fe0f}\\u{fe0f}\u20e3"],
  ["\u260e\ufe0e\ufe0e", "\u260e\ufe0e\\u{fe0e}"],
  ["\ufe00\u260e\ufe00", "\\u{fe00}\u260e\\u{fe00}"],
  ["\u{1f3f4}\u{e0068}\u{e0069}\u{e007f}", "\u{1f3f4}\\u{e0068}\\u{e0069}\\u{e007f}"],
  ["\u{1f600}\u{e0067}\u{e007f}", "\u{1f600}\\u{e0067}\\u{e007f}"],
  ["\u{1f3f4}\u{e0067}\u{e0062}", "\u{1f3f4}\\u{e0067}\\u{e0062}"],
])("%j is shown as %s", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test.each([
  ["Persian", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"],
  ["Persian with marks between the letters", "\u0645\u06cc\u0651\u064e\u200c\u064e\u062e"],
  ["Hindi", "\u0915\u094d\u200d\u0937 \u0930\u094d\u200c\u0915"],
  ["Sinhala", "\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf"],
  ["Bengali", "\u09b0\u09cd\u200d\u09af"],
  ["Chakma, beyond the first plane", "\u{11107}\u{11133}\u200d\u{11107}"],
  ["Adlam, which joins beyond the first plane", "\u{1e922}\u200c\u{1e923}"],
  ["keycaps", "1\ufe0f\u20e3 #\ufe0f\u20e3 *\ufe0f\u20e3"],
  ["a tag flag", "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"],
  ["pictographs in text style", "\u260e\ufe0e \u2764\ufe0e"],
])("%s stays unchanged", (_, text) => {
  expect(visible(text)).toBe(text);
});

test("a tab is kept in message text, and nowhere else", () => {
  expect(visibleText("a\tb\n\x1b")).toBe("a\tb\\n\\e");
  expect(visible("a\tb")).toBe("a\\tb");
});

test.each(["hello", "é ñ ü", "日本語 한국어 العربية עברית", "❤️ 👩‍👩‍👧 👍🏽 🏳️‍🌈", "e\u0301", "C:\\n"])(
  "%s stays unchanged",
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
