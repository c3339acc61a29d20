import { expect, test } from "bun:test";
import { createKeyReader, type Key } from "../../../src/client/terminal/input/keys.ts";

/** Keys in short: names as they are, texts in quotes. */
function short(keys: Key[]): string[] {
  return keys.map((key) => {
    if (key.type === "press") return key.name;
    return key.type === "focus" ? `focus ${key.focused}` : `${key.type} ${JSON.stringify(key.text)}`;
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);

test.each([
  ["abc\r", ['text "abc"', "enter"]],
  ["a\r\nb", ['text "a"', "enter", "enter", 'text "b"']],
  ["\x01\x1a\t\x7f\b", ["ctrl-a", "ctrl-z", "tab", "backspace", "backspace"]],
  [
    "\x1b[A\x1bOA\x1b[1;5C\x1b[1;3D\x1b[3~\x1b[3;5~",
    ["up", "up", "ctrl-right", "alt-left", "delete", "ctrl-delete"],
  ],
  ["\x1b[H\x1b[4~\x1b[7~", ["home", "end", "home"]],
  ["\x1bb\x1b\x7f\x1bF", ["alt-b", "alt-backspace", "alt-f"]],
  ["\x1b[I\x1b[O", ["focus true", "focus false"]],
  ["\x1b[200~one\r\ntwo\x03\x1b[A\x1b[201~x", ['paste "one\\ntwo\\u0003\\u001b[A"', 'text "x"']],
  ["\x1b]11;rgb:0/0/0\x07\x1bP1$r\x1b\\a", ['text "a"']],
  ["\x1b[99;99zé名👩‍👩‍👧", ['text "é名👩‍👩‍👧"']],
  ["\x9b\x1b\x1b[A", ["escape", "up"]],
  // Extended keyboard modes that another program has left on: kitty's, and xterm's modifyOtherKeys.
  ["\x1b[99;5u\x1b[100;5u\x1b[27u\x1b[115;3u", ["ctrl-c", "ctrl-d", "escape", "alt-s"]],
  ["\x1b[27;5;99~\x1b[27;5;100~\x1b[27;1;27~\x1b[27;3;98~", ["ctrl-c", "ctrl-d", "escape", "alt-b"]],
  [
    "\x1b[13u\x1b[13;2u\x1b[9;5u\x1b[9;2u\x1b[127;3u",
    ["enter", "enter", "tab", "shift-tab", "alt-backspace"],
  ],
  ["\x1b[97u\x1b[97:65;2u\x1b[57;2;40u\x1b[97;65u", ['text "a"', 'text "A"', 'text "("', 'text "A"']],
  ["\x1b[99;5:1u\x1b[99;5:2u\x1b[99;5:3u", ["ctrl-c", "ctrl-c"]],
  ["\x1b[1;1:3A\x1b[1;1:2A\x1b[3;1:3~\x1b[13;1:3u", ["up"]],
  ["\x1b[1089::99;5u\x1b[27;6;67~\x1b[105;5u\x1b[109;5u", ["ctrl-c", "ctrl-c", "tab", "enter"]],
  ["\x1b[99;133u\x1b[99;197u", ["ctrl-c", "ctrl-c"]],
  ["\x1b[57441;2u\x1b[57358u\x1b[57399u\x1b[57414u\x1b[57419;5u", ['text "0"', "enter", "ctrl-up"]],
  ["\x1b[99;9u\x1b[3u\x1b[u\x1b[;5u\x1b[99999999;5u\x1b[55296u\x1b[?1u", []],
  // A keypad in application mode, and a mouse that is still reported.
  ["\x1bOM\x1bOp\x1bOy\x1bOk\x1bOX", ["enter", 'text "09+="']],
  ["\x1b[M !!a\x1b[<0;1;1Mb\x1b[32;1;1Mc", ['text "abc"']],
])("%j is %j, however it is cut into pieces", (sent, keys) => {
  const joined = (all: string[]) => all.join().replaceAll('",text "', "");
  expect(joined(short(createKeyReader().read(bytes(sent))))).toEqual(joined(keys));
  const reader = createKeyReader();
  const single = [...bytes(sent)].flatMap((byte) => reader.read(Uint8Array.of(byte)));
  expect(joined(short(single))).toBe(joined(keys));
});

test("Escape is known when nothing follows it", () => {
  const reader = createKeyReader();
  expect(reader.read(bytes("\x1b"))).toEqual([]);
  expect(reader.timeout()).toBe(50);
  expect(short(reader.flush())).toEqual(["escape"]);
});

test("a paste without end is not taken for keys, and not gathered for ever", () => {
  const reader = createKeyReader();
  reader.read(bytes("\x1b[200~"));
  for (let i = 0; i < 30; i++) reader.read(bytes("x".repeat(100_000)));
  const [key] = reader.read(bytes("\x1b[201~"));
  expect(key?.type === "paste" && key.text.length).toBe(1024 * 1024);
});

test("a paste without end ends after a second, or at Ctrl-C", () => {
  const reader = createKeyReader();
  expect(reader.read(bytes("\x1b[200~stuck\r"))).toEqual([]);
  expect(reader.timeout()).toBe(1000);
  expect(short(reader.flush())).toEqual(['paste "stuck\\n"']);
  expect(reader.timeout()).toBeUndefined();
  expect(short(reader.read(bytes("\x1b[201~a\x1b[200~stuck\x03\x04")))).toEqual(['text "a"']);
  expect(reader.timeout()).toBe(50);
  expect(short(reader.flush())).toEqual(['paste "stuck"', "ctrl-c", "ctrl-d"]);
  reader.read(bytes("\x1b[200~stu\x03ck\x1b[20"));
  expect(reader.timeout()).toBe(1000);
  expect(short(reader.flush())).toEqual(['paste "stu\\u0003ck\\u001b[20"']);
});
