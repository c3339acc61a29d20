import { isUserName } from "./names.ts";

/**
 * What must not reach a terminal as it is: controls and escapes (Cc, so C0, DEL and C1), formats such as bidi
 * and zero width (Cf), lone surrogates (Cs), line and paragraph separators, whatever else draws nothing
 * (Default_Ignorable, so tags and fillers), and noncharacters.
 */
export const UNSAFE_CHARACTER =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;

/** An emoji's own variation selector and joiner, which stay, so that ❤️ and families are seen as they were sent. */
const PART_OF_EMOJI =
  /(?<=\p{Extended_Pictographic})\u{fe0f}|(?<=\p{Extended_Pictographic}\u{fe0f}?\p{Emoji_Modifier}?)\u{200d}(?=\p{Extended_Pictographic})/u;

/** Combining marks past the fourth on one letter, which draw over their neighbours. */
const TOO_MANY_MARKS = /(?<=\p{M}{4})\p{M}/u;

const UNSAFE = new RegExp(
  `${PART_OF_EMOJI.source}|(${UNSAFE_CHARACTER.source}|${TOO_MANY_MARKS.source})`,
  "gu",
);

/** Most texts are, and so need no closer look. */
const HARMLESS = /^[ -~]*$/;

const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e" };

/** Foreign text with everything that could deceive or command a terminal shown as an escape: `\n`, `\e`, `\u{202e}`. */
export function visible(text: string): string {
  if (HARMLESS.test(text)) return text;
  return text.replace(UNSAFE, (character, unsafe: string | undefined) => {
    if (unsafe === undefined) return character;
    return SHORT[unsafe] ?? `\\u{${(unsafe.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}}`;
  });
}

/** A user's name made visible; one that no user can have is quoted, so that `bob: hi` cannot pass for a message. */
export function visibleName(name: string): string {
  return isUserName(name) ? name : `"${visible(name).replaceAll('"', '\\"')}"`;
}
