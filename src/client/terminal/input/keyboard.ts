/** Decodes terminal input and applies it to the line editor. */
import type { Clock } from "../../../core/clock.ts";
import { type Action, BLANK, type Editor, type EditorContext, press } from "./editor.ts";
import { createKeyReader, type Key } from "./keys.ts";

export interface Keyboard {
  read(bytes: Uint8Array): void;
  /** The line as it stands. */
  editor(): Editor;
}

interface KeyboardOptions {
  clock: Clock;
  context(): EditorContext;
  onAction(action: Action): void;
  /** The window gained or lost focus. */
  onFocus(focused: boolean): void;
  /** All keys read so far have been applied. */
  onChange(): void;
}

export function createKeyboard({ clock, context, onAction, onFocus, onChange }: KeyboardOptions): Keyboard {
  const keys = createKeyReader();
  let editor = BLANK;
  let cancelFlush = () => {};

  function apply(pressed: readonly Key[]): void {
    for (const key of pressed) {
      if (key.type === "focus") onFocus(key.focused);
      const [next, action] = press(editor, key, context());
      editor = next;
      onAction(action);
    }
    onChange();
  }

  return {
    read(bytes) {
      cancelFlush();
      apply(keys.read(bytes));
      const timeout = keys.timeout();
      if (timeout !== undefined) cancelFlush = clock.after(timeout, () => apply(keys.flush()));
    },
    editor: () => editor,
  };
}
