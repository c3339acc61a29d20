import { JOINER_IN_WORD } from "./joiners.ts";
import { isUserName } from "./names.ts";

/**
 * What must not reach a terminal as it is: controls and escapes (Cc, so C0, DEL and C1), formats such as bidi
 * and zero width (Cf), lone surrogates (Cs), line and paragraph separators, whatever else draws nothing
 * (Default_Ignorable, so tags and fillers), and noncharacters.
 */
export const UNSAFE_CHARACTER =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;

/**
 * What of an emoji draws nothing by itself, and stays where it is part of one (UTS #51, §1.4): variation selectors
 * behind a pictograph and within a keycap, and joiners between two pictographs.
 */
const PART_OF_EMOJI =
  /(?<=\p{Extended_Pictographic})[\ufe0e\ufe0f]|(?<=[0-9#*])[\ufe0e\ufe0f](?=\u20e3)|(?<=\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)\u200d(?=\p{Extended_Pictographic})/u;

/** The flags of England, Scotland and Wales, the only ones in tags that are in general use; any other tags could hide a text. */
const TAG_FLAG = `(?<=\u{1f3f4})(?:${["gbeng", "gbsct", "gbwls"].map(inTags).join("|")})\u{e007f}`;

/** Combining marks past the fourth on one letter, which draw over their neighbours. */
const TOO_MANY_MARKS = /(?<=\p{M}{4})\p{M}/u;

const UNSAFE = new RegExp(
  `${PART_OF_EMOJI.source}|${TAG_FLAG}|${JOINER_IN_WORD}|(${UNSAFE_CHARACTER.source}|${TOO_MANY_MARKS.source})`,
  "gu",
);

/** Most texts are, and so need no closer look. */
const HARMLESS = /^[ -~]*$/;

const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e" };

/** A character of a text that is shown as an escape. */
interface Escape {
  /** Where it is in the text, and how long. */
  index: number;
  length: number;
  shown: string;
}

/** What `visibleText` shows as an escape, in order. */
export function escapesOf(text: string): Escape[] {
  if (HARMLESS.test(text)) return [];
  return [...text.matchAll(UNSAFE)].flatMap(({ 1: unsafe, index }) =>
    unsafe === undefined || unsafe === "\t" ? [] : { index, length: unsafe.length, shown: escapeOf(unsafe) },
  );
}

/** Foreign text with everything that could deceive or command a terminal shown as an escape: `\n`, `\e`, `\u{202e}`. */
export function visible(text: string): string {
  if (HARMLESS.test(text)) return text;
  return text.replace(UNSAFE, (character, unsafe: string | undefined) =>
    unsafe === undefined ? character : escapeOf(unsafe),
  );
}

/** The same of what somebody has written, in which a tab is white space. */
export function visibleText(text: string): string {
  return text.split("\t").map(visible).join("\t");
}

function escapeOf(unsafe: string): string {
  return SHORT[unsafe] ?? `\\u{${(unsafe.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}}`;
}

/** ASCII as tag characters. */
function inTags(text: string): string {
  return text.replace(/./g, (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0)));
}

/** A user's name made visible; one that no user can have is quoted, so that `bob: hi` cannot pass for a message. */
export function visibleName(name: string): string {
  return isUserName(name) ? name : `"${visible(name).replaceAll('"', '\\"')}"`;
}
