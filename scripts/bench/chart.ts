import type { Measured } from "./measure.ts";
import type { Report } from "./report.ts";

/** Widths and heights, in pixels. */
const LABELS = 330;
const BARS = 380;
const FIGURES = 130;
const BAR = 14;
const GAP = 10;
const TOP = 56;

/**
 * Draws the rows as bars relative to the rivals' 1, with a tick at each target. Times and memory are inverted, so that
 * longer is always better. Follows the reader's light or dark scheme.
 */
export function drawChart({ rows, machine }: Pick<Report, "rows" | "machine">): string {
  const bars = rows.flatMap((row) =>
    row.ratios.filter(({ target }) => target !== undefined).map((ratio) => ({ row, ...ratio })),
  );
  const scale = BARS / 2;
  const height = TOP + bars.length * (BAR + GAP) + 14;
  const drawn = bars.map(({ row, rival, median, target, met }, i) => {
    const y = TOP + i * (BAR + GAP);
    const width = Math.min(BARS, asMoreIsBetter(row, median) * scale);
    const tick = LABELS + Math.min(BARS, asMoreIsBetter(row, target ?? 1) * scale);
    return [
      `<text class="label" x="${LABELS - 10}" y="${y + 11}">${escapeXml(row.title)}</text>`,
      `<rect class="${met ? "met" : "missed"}" x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>`,
      `<path class="target" d="M${tick.toFixed(1)} ${y - 3}v${BAR + 6}"/>`,
      `<text x="${LABELS + BARS + 10}" y="${y + 11}">${median.toFixed(2)} × ${escapeXml(rival)}</text>`,
    ].join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LABELS + BARS + FIGURES} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>Talk's speed against the least code that does the same job</title>
<style>
text { fill: #24292f } .label { text-anchor: end } .small { fill: #57606a; font-size: 11px }
.met { fill: #2da44e } .missed { fill: #bf8700 } .target { stroke: #24292f; stroke-width: 2 } .one { stroke: #8c959f; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 } .met { fill: #3fb950 } .missed { fill: #d29922 } .target { stroke: #e6edf3 } .one { stroke: #6e7681 }
}
</style>
<text class="small" x="${LABELS}" y="16">Longer is better. Dashed: as good as the rival. Upright tick: the target.</text>
<text class="small" x="${LABELS}" y="32">${escapeXml(machine)}</text>
<path class="one" d="M${LABELS + scale} ${TOP - 10}V${height - 8}"/>
${drawn.join("\n")}
</svg>
`;
}

function asMoreIsBetter({ better }: Measured, ratio: number): number {
  return better === "more" ? ratio : 1 / ratio;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
