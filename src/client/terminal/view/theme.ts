/** Colours, unless NO_COLOR is set, and marks the terminal can show. */

export interface Theme {
  dim: Style;
  bold: Style;
  good: Style;
  alarm: Style;
  /** Always the same style for the same user. */
  user: (name: string) => Style;
  marks: Marks;
}

export type Style = (text: string) => string;

interface Marks {
  delivered: string;
  sent: string;
  unknown: string;
  failed: string;
  selected: string;
  cut: string;
}

const UNICODE: Marks = {
  delivered: "✓",
  sent: "(sent)",
  unknown: "?",
  failed: "✗",
  selected: "▸",
  cut: "…",
};

const ASCII: Marks = {
  delivered: "(delivered)",
  sent: "(sent)",
  unknown: "?",
  failed: "!",
  selected: ">",
  cut: "...",
};

/** SGR codes of colours legible on black and on white; red is reserved for errors. */
const USER_COLOURS = [32, 33, 35, 36, 94, 95, 34, 92];

/** @param env with NO_COLOR (https://no-color.org) and the locale */
export function createTheme(env: Record<string, string | undefined>): Theme {
  const plain: Style = (text) => text;
  const sgr = (code: number): Style => (env.NO_COLOR ? plain : (text) => `\x1b[${code}m${text}\x1b[0m`);
  return {
    dim: sgr(2),
    bold: sgr(1),
    good: sgr(32),
    alarm: sgr(31),
    user: (name) => sgr(USER_COLOURS[hash(name) % USER_COLOURS.length] ?? 0),
    marks: isUnicode(env) ? UNICODE : ASCII,
  };
}

/** Whether the locale is UTF-8, as most terminals are if none is set. */
function isUnicode({ LC_ALL, LC_CTYPE, LANG }: Record<string, string | undefined>): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG || "UTF-8";
  return /utf-?8/i.test(locale);
}

/** FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/): the same on every machine and every run. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}
