import { expect, test } from "bun:test";
import { wrap } from "../../../src/client/terminal/view/wrap.ts";

const rows = (text: string, columns: number, indent: number) =>
  wrap([{ text }], columns, indent).map((row) => row.text);

test.each([
  ["one two three", 20, 2, ["one two three"]],
  ["one two three", 8, 2, ["one two ", "  three"]],
  ["one two three", 7, 2, ["one two", "  three"]],
  ["onetwothreefour", 6, 2, ["onetwo", "  thre", "  efou", "  r"]],
  ["a onetwothreefour", 10, 2, ["a onetwoth", "  reefour"]],
  ["名前名前名", 5, 1, ["名前", " 名前", " 名"]],
  ["", 5, 1, [""]],
  ["        bob: hi", 8, 2, ["        ", "  bob:", "  hi"]],
])("%j in %d columns with indent %d", (text, columns, indent, expected) => {
  expect(rows(text, columns, indent).map((row) => row.trimEnd())).toEqual(
    expected.map((row) => row.trimEnd()),
  );
});

test("no row is wider than the terminal, and none loses a letter", () => {
  const text = "a 名前 👩‍👩‍👧 long-word-without-any-space and é more ".repeat(5);
  for (let columns = 8; columns < 60; columns++) {
    const laid = wrap([{ text }], columns, 3);
    expect(laid.filter(({ text, width }) => width > columns || Bun.stringWidth(text) !== width)).toEqual([]);
    expect(
      laid
        .map((row) => row.text)
        .join("")
        .replaceAll(" ", ""),
    ).toBe(text.replaceAll(" ", ""));
  }
});
