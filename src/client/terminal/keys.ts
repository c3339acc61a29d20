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
  /** Whether something came that is only the start of a key. */
  pending(): boolean;
  /** What the start of a key is, if nothing follows it: Escape itself. */
  give(): Key[];
}

const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";

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
    // The end may come in two pieces.
    const cut = end < 0 ? Math.max(0, rest.length - PASTE_END.length) : end;
    pasted = (before + rest.slice(0, cut)).slice(0, MAX_PASTE);
    rest = rest.slice(cut);
    if (end < 0) return "incomplete";
    const text = pasted.replace(/\r\n?/g, "\n");
    pasted = undefined;
    return take(PASTE_END.length, { type: "paste", text });
  }

  function nextOfEscape(): Key | "incomplete" | "nothing" {
    const tail = rest.slice(1);
    const short = rest.length < MAX_SEQUENCE;
    const csi = /^(?:\[([0-?]*)[ -/]*|O)([@-~])/.exec(tail);
    if (csi) return take(1 + csi[0].length, sequence(csi[1] ?? "", csi[2] ?? ""));
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

  return {
    read(bytes) {
      rest += decoder.decode(bytes, { stream: true });
      const keys: Key[] = [];
      while (rest !== "") {
        const key = next();
        if (key === "incomplete") break;
        if (key !== "nothing") keys.push(key);
      }
      return keys;
    },
    pending: () => rest !== "" && pasted === undefined,
    give() {
      if (rest === "" || pasted !== undefined) return [];
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

/** @param parameters as in `1;5`: the second tells which modifiers are held (xterm's ctlseqs, "PC-Style Function Keys") */
function sequence(parameters: string, final: string): Key | "nothing" {
  if (parameters === "" && (final === "I" || final === "O")) return { type: "focus", focused: final === "I" };
  const [first = "", second = "1"] = parameters.split(";");
  const name = final === "~" ? NUMBERS[first] : final === "M" && parameters === "" ? "enter" : FINALS[final];
  if (name === undefined) return "nothing";
  const held = Number(second) - 1;
  const modifier = held & 4 ? "ctrl-" : held & 2 ? "alt-" : "";
  return { type: "press", name: modifier + name };
}
