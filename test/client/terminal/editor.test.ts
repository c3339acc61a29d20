import { expect, test } from "bun:test";
import { BLANK, press } from "../../../src/client/terminal/editor.ts";

const known = { history: ["first", "second"], commands: ["user", "update", "exit"], users: ["bob", "bart"] };

/** The line after some keys, with the cursor in it; names of keys stand in angle brackets. */
function typed(keys: string): string {
  let editor = BLANK;
  for (const [, name, text = ""] of keys.matchAll(/<([a-z-]+)>|([^<]+)/g)) {
    [editor] = press(editor, name ? { type: "press", name } : { type: "text", text }, known);
  }
  const { text, cursor } = editor.line;
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

test.each([
  ["abc<left><left>x", "ax|bc"],
  ["abc<home>x<end>y", "xabcy|"],
  ["abc<ctrl-a><right><ctrl-f><ctrl-b>x", "ax|bc"],
  ["a👩‍👩‍👧é<backspace><backspace>", "a|"],
  ["a👩‍👩‍👧b<left><left><delete>", "a|b"],
  ["one two  <ctrl-w>", "one |"],
  ["one /a/b<ctrl-w>", "one |"],
  ["one /a/b<alt-backspace>", "one /a/|"],
  ["one two<alt-b><alt-b>x", "x|one two"],
  ["one two<home><alt-f>x", "onex| two"],
  ["one two<ctrl-left><alt-d>", "one |"],
  ["one two<ctrl-left><ctrl-k>", "one |"],
  ["one two<ctrl-left><ctrl-u>", "|two"],
  ["one two<ctrl-w><home><ctrl-y> ", "two |one "],
  ["ab<ctrl-t>", "ba|"],
  ["abc<left><ctrl-t>", "acb|"],
  ["ab<home><ctrl-d>", "|b"],
  ["x<up>", "second|"],
  ["x<up><up><up>", "first|"],
  ["x<up><down><down>", "x|"],
  ["<up>!<up>", "second|"],
  ["<up>!<up><down>", "second!|"],
  [":us<tab>", ":user |"],
  [":u<tab>", ":u|"],
  [":user b<tab>", ":user b|"],
  [":user ba<tab>", ":user bart |"],
  ["hello :us<tab>", "hello :us|"],
  ["abc<ctrl-c>", "|"],
  ["a<f-one><alt-x>b", "ab|"],
])("%s makes %s", (keys, line) => {
  expect(typed(keys)).toBe(line);
});

test("Tab shows what it could be when there is no one way on", () => {
  const [editor] = press(
    { ...BLANK, line: { text: ":u", cursor: 2 } },
    { type: "press", name: "tab" },
    known,
  );
  expect(editor.candidates).toEqual([":update", ":user"]);
});

test("Enter hands the line over, Ctrl-C and Ctrl-D leave on an empty one", () => {
  const half = { ...BLANK, line: { text: "hello", cursor: 2 } };
  const action = (name: string, editor = BLANK) => press(editor, { type: "press", name }, known)[1];
  expect(action("enter", half)).toEqual({ type: "submit", text: "hello" });
  expect(action("ctrl-c")).toEqual({ type: "leave" });
  expect(action("ctrl-d")).toEqual({ type: "leave" });
  expect(action("ctrl-d", half)).toEqual({ type: "none" });
});

test("a key stands for a command and leaves the line alone", () => {
  const half = { ...BLANK, line: { text: "hello", cursor: 2 } };
  const [editor, action] = press(half, { type: "press", name: "alt-s" }, known);
  expect([editor.line, action]).toEqual([half.line, { type: "command", text: ":again" }]);
});
