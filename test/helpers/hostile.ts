/** Texts that try to control a terminal, to hide, or to pass for something else. */

const ESC = "\x1b";
const BEL = "\x07";
const ST = `${ESC}\\`;

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i));

const controls = [...range(0x00, 0x1f), "\x7f", ...range(0x80, 0x9f)];

const sequences = [
  ...[
    "0;title",
    "2;title",
    "8;;http://evil.example/",
    "52;c;ZXZpbA==",
    "4;1;red",
    "10;?",
    "1337;File=:x",
  ].flatMap((body) => [`${ESC}]${body}${BEL}`, `${ESC}]${body}${ST}`, `\x9d${body}\x9c`, `${ESC}]${body}`]),
  ...["P1$r0m", "P+q544e", "Pq#0;2;0;0;0", "_Ga=T;x", "^private", "Xstring"].flatMap((body) => [
    `${ESC}${body}${ST}`,
    `${ESC}${body}`,
  ]),
  ...[
    "2J",
    "H",
    "1;1H",
    "31m",
    "0m",
    "?1049h",
    "?25l",
    "6n",
    "c",
    "10A",
    "2K",
    "1000C",
    "200~",
    "?2004l",
    "3J",
  ].flatMap((body) => [`${ESC}[${body}`, `\x9b${body}`]),
  ...["c", "7", "8", "M", "D", "#8", "(0", "=", "Z"].map((body) => ESC + body),
];

const invisible = [
  ...range(0x202a, 0x202e),
  ...range(0x2060, 0x2069),
  ...range(0x200b, 0x200f),
  ..."\u061c\u00ad\u034f\u115f\u1160\u17b4\u180e\u2028\u2029\u3164\ufeff\uffa0\ufff9\ufffb\ufff0\uffff",
  "\u{e0001}",
  "\u{e0041}\u{e0042}\u{e007f}",
  "\u{e0100}",
  "\ufe0f",
  // What could be mistaken for parts of emoji or for joiners within words.
  "a\u200cb",
  "a\u200db",
  "1\ufe0f",
  "a\ufe0f\u20e3",
  "\u0645\u200c\u200c\u0645",
  "\u0645\u200d\u0645",
  "\u0631\u200c\u0631",
  "\u0915\u200d\u0915",
  "\ufe0e",
  "\u260e\ufe00",
  "\u{1f600}\u200d\u200d\u{1f600}",
  "\u{1f3f4}\u{e0068}\u{e0069}\u{e007f}",
  "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}",
  "\u{1f600}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
  "\u180b\u180d",
  "\u{e01ef}",
  "\ud800",
  "\udfff",
  "\ud83d",
  `a${"\u0301".repeat(60)}`,
  `Z${"\u0310\u0311\u0489\u20dd".repeat(20)}`,
];

const tricks = [
  "hi\nbob: hi",
  "hi\r\nbob: hi",
  "hi\rbob: hi",
  "hi\n\n\n12:34 bob: hi",
  "\nerror: hi",
  "hi\u2028bob: hi",
  "hi\x85bob: hi",
  "hi\x0bbob: hi",
  "hi\x0cbob: hi",
  `abc${"\b".repeat(30)}bob: hi`,
  `hi${" ".repeat(190)}12:34 bob: hi`,
  "\tbob: hi",
];

export const hostile = [...controls, ...sequences, ...invisible, ...tricks];

/** Characters that must not reach a terminal, except at the ends of our own rows. */
export const UNSAFE =
  /[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}]|(?![\r\n])\p{Cc}/u;
