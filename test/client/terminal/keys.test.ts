import { expect, test } from "bun:test";
import { createKeyReader, type Key } from "../../../src/client/terminal/keys.ts";

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
])("%j is %j, however it is cut into pieces", (sent, keys) => {
  expect(short(createKeyReader().read(bytes(sent)))).toEqual(keys);
  const reader = createKeyReader();
  const single = [...bytes(sent)].flatMap((byte) => reader.read(Uint8Array.of(byte)));
  // Text comes letter by letter then.
  const joined = (all: string[]) => all.join().replaceAll('",text "', "");
  expect(joined(short(single))).toBe(joined(keys));
});

test("Escape is known when nothing follows it", () => {
  const reader = createKeyReader();
  expect(reader.read(bytes("\x1b"))).toEqual([]);
  expect(reader.pending()).toBe(true);
  expect(short(reader.give())).toEqual(["escape"]);
});

test("a paste without end is not taken for keys, and not gathered for ever", () => {
  const reader = createKeyReader();
  reader.read(bytes("\x1b[200~"));
  for (let i = 0; i < 30; i++) reader.read(bytes("x".repeat(100_000)));
  expect(reader.pending()).toBe(false);
  const [key] = reader.read(bytes("\x1b[201~"));
  expect(key?.type === "paste" && key.text.length).toBe(1024 * 1024);
});
