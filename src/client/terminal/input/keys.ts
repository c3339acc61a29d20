/** Decodes the bytes of a terminal into keys. */

export type Key =
  | { type: "text"; text: string }
  /** Any other key: `enter`, `left`, `ctrl-a`, `alt-b`, `escape`, … */
  | { type: "press"; name: string }
  /** A whole paste (bracketed paste, mode 2004). */
  | { type: "paste"; text: string }
  /** The window gained or lost focus (mode 1004). */
  | { type: "focus"; focused: boolean };

export interface KeyReader {
  read(bytes: Uint8Array): Key[];
  /** Milliseconds to wait for the rest of an incomplete sequence before calling `flush`; undefined if there is none. */
  timeout(): number | undefined;
  /** Stops waiting: returns what an incomplete sequence stands for, such as Escape or a paste that never ended. */
  flush(): Key[];
}

const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** How long to wait for the rest of a key, in milliseconds: a lone Escape may start a longer one. */
const KEY_MS = 50;

/** A paste that pauses this long, in milliseconds, has lost its end marker. */
const PASTE_MS = 1000;

const CTRL_C = "\x03";

/** Ctrl-C at the end aborts a paste that never ends; elsewhere in a paste it is an ordinary character. */
const CANCELLED = new RegExp(`${CTRL_C}\\p{Cc}*$`, "u");

/** Most characters kept of a paste; far above the message limit. */
const MAX_PASTE = 1024 * 1024;

/** Longest sequence to wait for, in characters; terminal replies are shorter. */
const MAX_SEQUENCE = 256;

/** Keys by the final character of `CSI` or `SS3`. */
const FINALS: Record<string, string> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
  Z: "shift-tab",
};

/** Keys by the number in `CSI number ~`. */
const NUMBERS: Record<string, string> = { 1: "home", 3: "delete", 4: "end", 7: "home", 8: "end" };

/** Modifier bits; the parameter in a sequence is their sum plus one. */
const SHIFT = 1;
const ALT = 2;
const CTRL = 4;
/** Super, Hyper and Meta, which are ignored. */
const OTHERS = 8 | 16 | 32;
const CAPS_LOCK = 64;

/** Keypad keys by code (kitty's keyboard protocol, "Functional key definitions"). */
const KEYPAD: Record<number, string> = {
  57414: "enter",
  57417: "left",
  57418: "right",
  57419: "up",
  57420: "down",
  57423: "home",
  57424: "end",
  57426: "delete",
};

/** Keypad characters from code 57399 on and, in application mode, from the final character `j` of SS3 on. */
const KEYPAD_CODES = "0123456789./*-+\0=,";
const KEYPAD_FINALS = "*+,-./0123456789";

/** Control characters with their own names. CR and LF are both Enter. */
const CONTROLS: Record<string, string> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\b": "backspace",
  "\x7f": "backspace",
};

/** Sequences may arrive in pieces; discards those that are not keys. */
export function createKeyReader(): KeyReader {
  const decoder = new TextDecoder();
  let rest = "";
  /** The paste so far, while one is in progress. */
  let pasted: string | undefined;

  function next(): Key | "incomplete" | "nothing" {
    if (pasted !== undefined) return nextOfPaste(pasted);
    // An X10 mouse report (mode 1000), which another program may have left on.
    if (rest.startsWith("\x1b[M")) return rest.length < 6 ? "incomplete" : take(6, "nothing");
    const [text] = /^[^\p{Cc}]+/u.exec(rest) ?? [];
    if (text !== undefined) return take(text.length, { type: "text", text });
    if (rest[0] !== "\x1b") return take(1, controlKey(rest[0] ?? ""));
    if (rest.startsWith(PASTE_START)) {
      pasted = "";
      return take(PASTE_START.length, "nothing");
    }
    return nextOfEscape();
  }

  function nextOfPaste(before: string): Key | "incomplete" {
    const end = rest.indexOf(PASTE_END);
    if (end >= 0) {
      const text = before + rest.slice(0, end);
      rest = rest.slice(end + PASTE_END.length);
      return endPaste(text);
    }
    // The end marker may be split.
    const cut = Math.max(0, rest.length - PASTE_END.length);
    pasted = (before + rest.slice(0, cut)).slice(0, MAX_PASTE);
    rest = rest.slice(cut);
    return "incomplete";
  }

  function endPaste(text: string): Key {
    pasted = undefined;
    return { type: "paste", text: text.slice(0, MAX_PASTE).replace(/\r\n?/g, "\n") };
  }

  function nextOfEscape(): Key | "incomplete" | "nothing" {
    const tail = rest.slice(1);
    const short = rest.length < MAX_SEQUENCE;
    const csi = /^(?:\[([0-?]*)[ -/]*|O)([@-~])/.exec(tail);
    if (csi) return take(1 + csi[0].length, sequenceKey(csi[1], csi[2] ?? ""));
    if (short && /^(?:\[[ -?]*|O)?$/.test(tail)) return "incomplete";
    if (/^[\]P^_X]/.test(tail)) {
      // Terminal replies (OSC, DCS, …) end with BEL or ST.
      const [end] = ["\x07", "\x1b\\"].flatMap((mark) =>
        tail.includes(mark) ? tail.indexOf(mark) + mark.length : [],
      );
      if (end !== undefined) return take(1 + end, "nothing");
      if (short) return "incomplete";
    }
    const [letter = "\x1b"] = tail;
    if (letter === "\x1b" || letter === "[") return take(1, { type: "press", name: "escape" });
    return take(1 + letter.length, {
      type: "press",
      name: `alt-${CONTROLS[letter] ?? letter.toLowerCase()}`,
    });
  }

  function take<T>(length: number, key: T): T {
    rest = rest.slice(length);
    return key;
  }

  function drain(): Key[] {
    const keys: Key[] = [];
    while (rest !== "") {
      const key = next();
      if (key === "incomplete") break;
      if (key !== "nothing") keys.push(key);
    }
    return keys;
  }

  return {
    read(bytes) {
      rest += decoder.decode(bytes, { stream: true });
      return drain();
    },
    timeout() {
      if (pasted !== undefined) return CANCELLED.test(pasted + rest) ? KEY_MS : PASTE_MS;
      return rest === "" ? undefined : KEY_MS;
    },
    flush() {
      if (pasted !== undefined) {
        const all = pasted + rest;
        [rest = ""] = CANCELLED.exec(all) ?? [];
        return [endPaste(all.slice(0, all.length - rest.length)), ...drain()];
      }
      if (rest === "") return [];
      const [, letter] = rest;
      rest = "";
      return [{ type: "press", name: letter === undefined ? "escape" : `alt-${letter.toLowerCase()}` }];
    },
  };
}

function controlKey(code: string): Key | "nothing" {
  const name = CONTROLS[code];
  if (name !== undefined) return { type: "press", name };
  const letter = code.charCodeAt(0);
  // C1 controls are not keys.
  if (letter > 0x1f) return "nothing";
  return { type: "press", name: `ctrl-${String.fromCharCode(letter + 0x40).toLowerCase()}` };
}

/** @param parameters as in `1;5`; undefined after SS3 */
function sequenceKey(parameters: string | undefined, final: string): Key | "nothing" {
  if (parameters === undefined) return keypadKey(final);
  if (parameters === "" && (final === "I" || final === "O")) return { type: "focus", focused: final === "I" };
  // Terminal replies and mouse reports.
  if (/^[<=>?]/.test(parameters)) return "nothing";
  const [codes = [], [held = 1, event = 1] = [], third = []] = parameters
    .split(";")
    .map((parameter) => parameter.split(":").map((number) => (number === "" ? undefined : Number(number))));
  // A key release (kitty's "report event types").
  if (event === 3) return "nothing";
  const [first, shifted, base] = codes;
  if (final === "u") return extendedKey({ code: first, shifted, base, held, text: third });
  if (final === "~" && first === 27) return extendedKey({ code: third[0], held, text: [] });
  const name = final === "~" ? NUMBERS[String(first)] : FINALS[final];
  if (name === undefined) return "nothing";
  return { type: "press", name: prefix(held - 1) + name };
}

/** The key after SS3: cursor keys and keypad in application mode. */
function keypadKey(final: string): Key | "nothing" {
  const name = final === "M" ? "enter" : FINALS[final];
  if (name !== undefined) return { type: "press", name };
  const text = final === "X" ? "=" : KEYPAD_FINALS[final.charCodeAt(0) - "j".charCodeAt(0)];
  return text === undefined ? "nothing" : { type: "text", text };
}

interface ExtendedKey {
  /** Code of the key without modifiers. */
  code: number | undefined;
  /** Codes with Shift, and of the same key on a Latin layout, if the terminal reports them. */
  shifted?: number | undefined;
  base?: number | undefined;
  /** One more than the sum of the modifier bits. */
  held: number;
  /** The text the key produces, as code points. */
  text: (number | undefined)[];
}

/**
 * A key of an extended keyboard mode, which another program may have left on: `CSI code ; modifiers u` (kitty, and
 * xterm's formatOtherKeys) or `CSI 27 ; modifiers ; code ~` (xterm's modifyOtherKeys). Returns what the
 * key would be without that mode.
 */
function extendedKey({ code, shifted, base, held, text }: ExtendedKey): Key | "nothing" {
  const modifiers = held - 1;
  if (code === undefined || modifiers & OTHERS) return "nothing";
  const keypad = KEYPAD[code];
  if (keypad !== undefined) return { type: "press", name: prefix(modifiers) + keypad };
  const written = text.flatMap((point) => characterOf(point) ?? []).join("");
  const character = KEYPAD_CODES[code - 57399] ?? (code === 27 ? "\x1b" : characterOf(code));
  const named = CONTROLS[String.fromCharCode(code)];
  if (code === 27) return { type: "press", name: "escape" };
  if (named === "tab" && modifiers & SHIFT) return { type: "press", name: "shift-tab" };
  if (named !== undefined) return { type: "press", name: (modifiers & ALT ? "alt-" : "") + named };
  if (character === undefined) return "nothing";
  if (modifiers & (CTRL | ALT)) {
    // On a non-Latin layout, shortcuts use the Latin letter of the same key.
    const letter = (/^[!-~]$/.test(character) ? character : (characterOf(base) ?? character)).toLowerCase();
    if ((modifiers & (CTRL | ALT)) === ALT) return { type: "press", name: `alt-${letter}` };
    // `controlKey` gives Ctrl-I, Ctrl-M and the like their own names.
    if (modifiers & ALT || !/^[@-~]$/.test(letter)) return "nothing";
    return controlKey(String.fromCharCode(letter.charCodeAt(0) & 0x1f));
  }
  const upper = Boolean(modifiers & SHIFT) !== Boolean(modifiers & CAPS_LOCK);
  const cased = characterOf(upper ? shifted : undefined) ?? (upper ? character.toUpperCase() : character);
  return { type: "text", text: written || cased };
}

/** The character, if it is text: not a control, a surrogate, or a private-use code, which stands for a key. */
function characterOf(code: number | undefined): string | undefined {
  if (code === undefined || !(code <= 0x10ffff)) return undefined;
  const character = String.fromCodePoint(code);
  return /[\p{Cc}\p{Cs}\ue000-\uf8ff]/u.test(character) ? undefined : character;
}

function prefix(modifiers: number): string {
  return modifiers & CTRL ? "ctrl-" : modifiers & ALT ? "alt-" : "";
}
