/** Makes untrusted text safe to print. */
import { isUserName } from "./names.ts";

// A zero-width joiner or non-joiner (U+200D, U+200C) is kept where it is part of a word: the ContextJ rules of RFC
// 5892, appendices A.1 and A.2, over Unicode 14. JavaScript's regular expressions know neither property.

/** Canonical_Combining_Class=Virama. */
const VIRAMA = ranges(
  "94d 9cd a4d acd b4d bcd c4d ccd d3b-d3c d4d dca e3a eba f84 1039-103a 1714-1715 1734 17d2 1a60 1b44 " +
    "1baa-1bab 1bf2-1bf3 2d7f a806 a82c a8c4 a953 a9c0 aaf6 abed 10a3f 11046 11070 1107f 110b9 " +
    "11133-11134 111c0 11235 112ea 1134d 11442 114c2 115bf 1163f 116b6 1172b 11839 1193d-1193e 119e0 " +
    "11a34 11a47 11a99 11c3f 11d44-11d45 11d97",
);

/** Joining_Type=Dual_Joining. */
const DUAL = ranges(
  "620 626 628 62a-62e 633-63f 641-647 649-64a 66e-66f 678-687 69a-6bf 6c1-6c2 6cc 6ce 6d0-6d1 6fa-6fc " +
    "6ff 712-714 71a-71d 71f-727 729 72b 72d-72e 74e-758 75c-76a 76d-770 772 775-777 77a-77f 7ca-7ea " +
    "841-845 848 84a-853 855 860 862-865 868 886 889-88d 8a0-8a9 8af-8b0 8b3-8b8 8ba-8c8 1807 1820-1878 " +
    "1887-18a8 18aa a840-a871 10ac0-10ac4 10ad3-10ad6 10ad8-10adc 10ade-10ae0 10aeb-10aee 10b80 10b82 " +
    "10b86-10b88 10b8a-10b8b 10b8d 10b90 10bad-10bae 10d01-10d21 10d23 10f30-10f32 10f34-10f44 " +
    "10f51-10f53 10f70-10f73 10f76-10f81 10fb0 10fb2-10fb3 10fb8 10fbb-10fbc 10fbe-10fbf 10fc1 10fc4 " +
    "10fca 1e900-1e943",
);

/** Joining_Type=Left_Joining. */
const LEFT = ranges("a872 10acd 10ad7 10d00 10fcb");

/** Joining_Type=Right_Joining. */
const RIGHT = ranges(
  "622-625 627 629 62f-632 648 671-673 675-677 688-699 6c0 6c3-6cb 6cd 6cf 6d2-6d3 6d5 6ee-6ef 710 " +
    "715-719 71e 728 72a 72c 72f 74d 759-75b 76b-76c 771 773-774 778-779 840 846-847 849 854 856-858 867 " +
    "869-86a 870-882 88e 8aa-8ac 8ae 8b1-8b2 8b9 10ac5 10ac7 10ac9-10aca 10ace-10ad2 10add 10ae1 10ae4 " +
    "10aef 10b81 10b83-10b85 10b89 10b8c 10b8e-10b8f 10b91 10ba9-10bac 10d22 10f33 10f54 10f74-10f75 " +
    "10fb4-10fb6 10fb9-10fba 10fbd 10fc2-10fc3 10fc9",
);

/**
 * Joining_Type=Transparent, without the format characters: those are escaped, so they separate the letters. At most as
 * many as one letter may have.
 */
const MARKS = "[\\p{Mn}\\p{Me}]{0,4}";

/** A pattern source (flag `u`) for the joiners to keep. */
const JOINER_IN_WORD =
  `(?<=[${VIRAMA}])[\u200c\u200d]` + `|(?<=[${LEFT}${DUAL}]${MARKS})\u200c(?=${MARKS}[${RIGHT}${DUAL}])`;

/** A character class from hexadecimal code points and ranges. */
function ranges(codes: string): string {
  return codes.replace(/[0-9a-f]+/g, "\\u{$&}").replaceAll(" ", "");
}

/**
 * Characters that must not reach a terminal unescaped: control characters (Cc: C0, DEL and C1), format characters such
 * as bidi controls and zero-width ones (Cf), lone surrogates (Cs), line and paragraph separators, other invisible
 * characters (Default_Ignorable: tags and fillers), and noncharacters.
 */
const UNSAFE_CHARACTER =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;

/**
 * Invisible characters to keep within an emoji (UTS #51, §1.4): variation selectors after a pictograph or in a keycap,
 * and joiners between two pictographs.
 */
const PART_OF_EMOJI =
  /(?<=\p{Extended_Pictographic})[\ufe0e\ufe0f]|(?<=[0-9#*])[\ufe0e\ufe0f](?=\u20e3)|(?<=\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)\u200d(?=\p{Extended_Pictographic})/u;

/** The flags of England, Scotland and Wales, the only tag sequences in general use; any others could hide text. */
const TAG_FLAG = `(?<=\u{1f3f4})(?:${["gbeng", "gbsct", "gbwls"].map(inTags).join("|")})\u{e007f}`;

/** A fifth and further combining mark on one letter, which would draw over its neighbours. */
const TOO_MANY_MARKS = /(?<=\p{M}{4})\p{M}/u;

const UNSAFE = new RegExp(
  `${PART_OF_EMOJI.source}|${TAG_FLAG}|${JOINER_IN_WORD}|(${UNSAFE_CHARACTER.source}|${TOO_MANY_MARKS.source})`,
  "gu",
);

/** Printable ASCII: most texts, which need no closer look. */
const HARMLESS = /^[ -~]*$/;

const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e" };

/** A character shown as an escape. */
interface Escape {
  /** Its position and length in the text, in UTF-16 code units. */
  index: number;
  length: number;
  shown: string;
}

/** The characters that `visibleText` escapes, in order. */
export function escapesOf(text: string): Escape[] {
  if (HARMLESS.test(text)) return [];
  return [...text.matchAll(UNSAFE)].flatMap(({ 1: unsafe, index }) =>
    unsafe === undefined || unsafe === "\t" ? [] : { index, length: unsafe.length, shown: escapeOf(unsafe) },
  );
}

/** Escapes whatever could control a terminal or mislead its reader: `\n`, `\e`, `\u{202e}`. */
export function visible(text: string): string {
  if (HARMLESS.test(text)) return text;
  return text.replace(UNSAFE, (character, unsafe: string | undefined) =>
    unsafe === undefined ? character : escapeOf(unsafe),
  );
}

/** The same for message text, in which tabs are kept. */
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

/** A user name made safe to print; an invalid one is quoted, so that `bob: hi` cannot pass for a message. */
export function visibleName(name: string): string {
  return isUserName(name) ? name : `"${visible(name).replaceAll('"', '\\"')}"`;
}

/** A value as one line of JSON (RFC 8259), with unsafe characters escaped, so that no terminal obeys it. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(new RegExp(UNSAFE_CHARACTER, "gu"), (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
