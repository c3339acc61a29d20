/** Made at the first use: a first prompt needs none, and the rules take longer to load than all the rest of it. */
let segmenter: Intl.Segmenter | undefined;

/** What a reader takes for one character each (UAX #29). */
export function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}
