/** Text as a terminal counts it: graphemes, and the columns that each takes. */

/** Created on first use: loading the rules takes longer than everything else before the first prompt. */
let segmenter: Intl.Segmenter | undefined;

/** What a reader takes for one character each (UAX #29). */
export function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** Columns from one tab stop to the next. */
const TAB = 4;

/** What a tab takes in a row: white space up to the next stop. */
export function tabAt(column: number): { text: string; width: number } {
  const width = TAB - (column % TAB);
  return { text: " ".repeat(width), width };
}

/** The pieces of a text that a cursor can stand between, and how many columns each takes. */
export function* cells(text: string): Generator<{ text: string; width: number }> {
  // Most texts are plain, and cut about ten times as fast this way.
  if (/^[\x20-\x7e]*$/.test(text)) {
    for (const character of text) yield { text: character, width: 1 };
    return;
  }
  for (const { segment } of graphemesOf(text)) yield { text: segment, width: widthOf(segment) };
}

/** Marks with a place of their own take no column of their own, which Bun knows of some scripts only. */
function widthOf(grapheme: string): number {
  return Bun.stringWidth(grapheme.replace(/(?<=.)\p{Mc}/gu, ""));
}
