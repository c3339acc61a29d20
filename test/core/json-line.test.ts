import { expect, test } from "bun:test";
import { jsonLine } from "../../src/core/sanitize.ts";

test.each([
  ["controls", "\0\n\r\t\x1b[2J\x7f\x9b"],
  ["what turns the direction", "\u202e\u2066\u200f"],
  ["what has no width", "\u200b\u200d\ufeff\u00ad"],
  ["line separators", "\u2028\u2029\u0085"],
  ["tags and lone surrogates", "\u{e0041}\ud800"],
])("%s are escaped, and parse to the original", (_, text) => {
  const line = jsonLine({ text });
  expect(line).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(line)).toEqual({ text });
});

test("letters of every script, quotes and emoji stay readable", () => {
  const text = 'é 名 "quoted" \\ 👍🏽 👩‍👩‍👧';
  expect(jsonLine(text)).toStartWith('"é 名 \\"quoted\\" \\\\ 👍🏽 👩');
  expect(JSON.parse(jsonLine(text))).toBe(text);
});
