let segmenter: Intl.Segmenter | undefined;

/** What a reader takes for one character each (UAX #29). The rules are loaded at the first use: a first prompt needs none. */
export function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}
