import { expect, test } from "bun:test";
import { BLANK, press } from "../../../src/client/terminal/input/editor.ts";

const known = {
  history: ["first", "second"],
  commands: ["user", "update", "exit"],
  users: ["bob", "bart", "Carol", "carol-2", "cleo", "Dave", "dave"],
};

/** The line after some keys, with the cursor in it; names of keys stand in angle brackets. */
function invocation(keys: string): string {
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
  [":US<tab>", ":user |"],
  [":user BA<tab>", ":user bart |"],
  [":user c<tab>", ":user c|"],
  [":user ca<tab>", ":user carol|"],
  [":user CAROL-<tab>", ":user carol-2 |"],
  [":user D<tab>", ":user Dave |"],
  [":user dave<tab>", ":user dave |"],
  ["x<ctrl-r>S", "|second"],
  ["x<ctrl-r>s<ctrl-r>", "fir|st"],
  ["x<ctrl-r>s<ctrl-r><ctrl-r>", "fir|st"],
  ["x<ctrl-r>st", "fir|st"],
  ["x<ctrl-r>st<backspace>", "|second"],
  ["x<ctrl-r>st<backspace><backspace>y", "x|"],
  ["x<ctrl-r>st<escape>y", "xy|"],
  ["x<ctrl-r>st<ctrl-g>y", "xy|"],
  ["x<ctrl-r>st<ctrl-c>y", "xy|"],
  ["x<ctrl-r>st<end>!", "first!|"],
  ["x<ctrl-r>sec<up>", "first|"],
  ["x<ctrl-r>sec<down>", "x|"],
  ["x<ctrl-r>nothing<enter>y", "y|"],
  ["hello :us<tab>", "hello :us|"],
  ["abc<ctrl-c>", "|"],
  ["a<f-one><alt-x>b", "ab|"],
])("%s makes %s", (keys, line) => {
  expect(invocation(keys)).toBe(line);
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

test("Enter sends what Ctrl-R has found", () => {
  let editor = BLANK;
  for (const key of ["ctrl-r"]) [editor] = press(editor, { type: "press", name: key }, known);
  [editor] = press(editor, { type: "paste", text: "FIR\nsecond" }, known);
  expect(editor.search).toMatchObject({ query: "FIR", found: true });
  expect(press(editor, { type: "press", name: "enter" }, known)[1]).toEqual({
    type: "submit",
    text: "first",
  });
});

test("a key stands for a command and leaves the line alone", () => {
  const half = { ...BLANK, line: { text: "hello", cursor: 2 } };
  const [editor, action] = press(half, { type: "press", name: "alt-s" }, known);
  expect([editor.line, action]).toEqual([half.line, { type: "command", text: ":again" }]);
});
