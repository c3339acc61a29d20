/** What a terminal sends, as keys. */

export type Key =
  | { type: "text"; text: string }
  /** A key that is no text: `enter`, `left`, `ctrl-a`, `alt-b`, `escape`, … */
  | { type: "press"; name: string }
  /** What was pasted, in one piece (bracketed paste, mode 2004). */
  | { type: "paste"; text: string }
  /** The terminal's window got the focus or lost it (mode 1004). */
  | { type: "focus"; focused: boolean };

export interface KeyReader {
  read(bytes: Uint8Array): Key[];
  /** How long to wait for the rest of what has begun, in milliseconds, before `flush` is called; undefined if nothing has. */
  timeout(): number | undefined;
  /** What has begun, if nothing follows it: Escape itself, or a paste without its end. */
  flush(): Key[];
}

const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** How long a terminal takes at most to send all of a key, in milliseconds: Escape itself is the start of many. */
const KEY_MS = 50;

/** A paste from which nothing more has come for so long, in milliseconds, has no end: its terminal or link lost it. */
const PASTE_MS = 1000;

const CTRL_C = "\x03";

/** Ctrl-C that nothing pasted follows: somebody wants to get out. Within a paste it is a character like others. */
const CANCELLED = new RegExp(`${CTRL_C}\\p{Cc}*$`, "u");

/** Most characters of a paste that are kept; far more than a message may have. */
const MAX_PASTE = 1024 * 1024;

/** Most characters of a sequence that we wait for the end of: answers of terminals are shorter. */
const MAX_SEQUENCE = 256;

/** By the final character of `CSI` or `SS3`. */
const FINALS: Record<string, string> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
  Z: "shift-tab",
};

/** By the number in `CSI number ~`. */
const NUMBERS: Record<string, string> = { 1: "home", 3: "delete", 4: "end", 7: "home", 8: "end" };

/** Modifier bits of extended sequences, in which the parameter is one more than their sum. */
const SHIFT = 1;
const ALT = 2;
const CTRL = 4;
/** Super, Hyper and Meta stand for nothing here. */
const OTHERS = 8 | 16 | 32;
const CAPS_LOCK = 64;

/** Keys of the keypad by their code (kitty's keyboard protocol, "Functional key definitions"). */
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

/** Characters of the keypad from code 57399 on, and by the final character of SS3 in application mode from `j` on. */
const KEYPAD_CODES = "0123456789./*-+\0=,";
const KEYPAD_FINALS = "*+,-./0123456789";

/** Keys with one code that are not called after a letter. CR and LF are both Enter, so Windows line ends work. */
const CONTROLS: Record<string, string> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\b": "backspace",
  "\x7f": "backspace",
};

/** Sequences may come in pieces; those that are no key are swallowed. */
export function createKeyReader(): KeyReader {
  const decoder = new TextDecoder();
  let rest = "";
  /** What has been pasted so far, while a paste is under way. */
  let pasted: string | undefined;

  function next(): Key | "incomplete" | "nothing" {
    if (pasted !== undefined) return nextOfPaste(pasted);
    // A mouse report of the oldest form (mode 1000), from a mode that somebody else has left on.
    if (rest.startsWith("\x1b[M")) return rest.length < 6 ? "incomplete" : take(6, "nothing");
    const [text] = /^[^\p{Cc}]+/u.exec(rest) ?? [];
    if (text !== undefined) return take(text.length, { type: "text", text });
    if (rest[0] !== "\x1b") return take(1, control(rest[0] ?? ""));
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
    // The end may come in two pieces.
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
    if (csi) return take(1 + csi[0].length, sequence(csi[1], csi[2] ?? ""));
    if (short && /^(?:\[[ -?]*|O)?$/.test(tail)) return "incomplete";
    if (/^[\]P^_X]/.test(tail)) {
      // Answers of the terminal (OSC, DCS, …), which end with BEL or ST.
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

function control(code: string): Key | "nothing" {
  const name = CONTROLS[code];
  if (name !== undefined) return { type: "press", name };
  const letter = code.charCodeAt(0);
  // C1 controls are no keys.
  if (letter > 0x1f) return "nothing";
  return { type: "press", name: `ctrl-${String.fromCharCode(letter + 0x40).toLowerCase()}` };
}

/** @param parameters as in `1;5`; undefined after SS3 */
function sequence(parameters: string | undefined, final: string): Key | "nothing" {
  if (parameters === undefined) return ofKeypad(final);
  if (parameters === "" && (final === "I" || final === "O")) return { type: "focus", focused: final === "I" };
  // Answers of the terminal, and reports of its mouse.
  if (/^[<=>?]/.test(parameters)) return "nothing";
  const [codes = [], [held = 1, event = 1] = [], third = []] = parameters
    .split(";")
    .map((parameter) => parameter.split(":").map((number) => (number === "" ? undefined : Number(number))));
  // The terminal tells of keys that are let go (kitty's "report event types").
  if (event === 3) return "nothing";
  const [first, shifted, base] = codes;
  if (final === "u") return extended({ code: first, shifted, base, held, text: third });
  if (final === "~" && first === 27) return extended({ code: third[0], held, text: [] });
  const name = final === "~" ? NUMBERS[String(first)] : FINALS[final];
  if (name === undefined) return "nothing";
  return { type: "press", name: prefix(held - 1) + name };
}

/** What SS3 is followed by: cursor keys in their application mode, Enter and characters of the keypad in its own. */
function ofKeypad(final: string): Key | "nothing" {
  const name = final === "M" ? "enter" : FINALS[final];
  if (name !== undefined) return { type: "press", name };
  const text = final === "X" ? "=" : KEYPAD_FINALS[final.charCodeAt(0) - "j".charCodeAt(0)];
  return text === undefined ? "nothing" : { type: "text", text };
}

interface ExtendedKey {
  /** Of the key without modifiers. */
  code: number | undefined;
  /** Of the key with Shift, and of the same key on a Latin keyboard, where the terminal tells. */
  shifted?: number | undefined;
  base?: number | undefined;
  /** One more than the sum of the modifier bits. */
  held: number;
  /** The text that the key makes, as code points. */
  text: (number | undefined)[];
}

/**
 * A key of an extended keyboard mode, which another program may have left on: `CSI code ; modifiers u` (kitty, and
 * xterm's formatOtherKeys) or `CSI 27 ; modifiers ; code ~` (xterm's modifyOtherKeys). It is what the key without
 * that mode would be.
 */
function extended({ code, shifted, base, held, text }: ExtendedKey): Key | "nothing" {
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
    // On a keyboard of another script, what counts is what the key would be on a Latin one.
    const letter = (/^[!-~]$/.test(character) ? character : (characterOf(base) ?? character)).toLowerCase();
    if ((modifiers & (CTRL | ALT)) === ALT) return { type: "press", name: `alt-${letter}` };
    // Ctrl-I, Ctrl-M and their like have names of their own.
    if (modifiers & ALT || !/^[@-~]$/.test(letter)) return "nothing";
    return control(String.fromCharCode(letter.charCodeAt(0) & 0x1f));
  }
  const upper = Boolean(modifiers & SHIFT) !== Boolean(modifiers & CAPS_LOCK);
  const cased = characterOf(upper ? shifted : undefined) ?? (upper ? character.toUpperCase() : character);
  return { type: "text", text: written || cased };
}

/** A character that is text: none of controls, of surrogates, and of the private use area where keys have their codes. */
function characterOf(code: number | undefined): string | undefined {
  if (code === undefined || !(code <= 0x10ffff)) return undefined;
  const character = String.fromCodePoint(code);
  return /[\p{Cc}\p{Cs}\ue000-\uf8ff]/u.test(character) ? undefined : character;
}

function prefix(modifiers: number): string {
  return modifiers & CTRL ? "ctrl-" : modifiers & ALT ? "alt-" : "";
}
