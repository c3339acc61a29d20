/** Text as a terminal measures it: graphemes and their widths in columns. */

/** Created on first use: loading the rules takes longer than everything else before the first prompt. */
let segmenter: Intl.Segmenter | undefined;

/** User-perceived characters (UAX #29). */
export function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** Columns between tab stops. */
const TAB = 4;

/** Expands a tab to spaces up to the next stop. */
export function tabAt(column: number): { text: string; width: number } {
  const width = TAB - (column % TAB);
  return { text: " ".repeat(width), width };
}

/** Yields the graphemes of a text, each with its width in columns. */
export function* cells(text: string): Generator<{ text: string; width: number }> {
  // Most texts are ASCII, for which this is about ten times as fast.
  if (/^[\x20-\x7e]*$/.test(text)) {
    for (const character of text) yield { text: character, width: 1 };
    return;
  }
  for (const { segment } of graphemesOf(text)) yield { text: segment, width: widthOf(segment) };
}

/** Spacing marks (Mc) take no column of their own, which Bun knows only for some scripts. */
function widthOf(grapheme: string): number {
  return Bun.stringWidth(grapheme.replace(/(?<=.)\p{Mc}/gu, ""));
}
