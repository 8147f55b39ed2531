import { fixed, formatTable } from "../tables.mjs";
import { code } from "./rate-report.mjs";
import { ratioAtEqualError } from "./ratio-at-equal-error.mjs";

export const distinctOf = (points, key) => [...new Set(points.map((point) => point[key]))];

function ratioTable(points) {
  const rows = distinctOf(points, "clip").flatMap((clip) =>
    distinctOf(points, "series").map((series) => {
      const figures = (mode) =>
        points
          .filter((point) => point.clip === clip && point.series === series && point.mode === mode)
          .map((point) => point.figures);
      return [clip, code(series), fixed(ratioAtEqualError(figures("inter"), figures("intra")), 3)];
    }),
  );
  return formatTable(["clip", "series", "bytes, inter over intra"], rows);
}

function pointTable(points) {
  const rows = points.map(({ clip, chain, mode, figures }) => [
    ...[clip, code(chain), mode, fixed(figures.bytes, 0), fixed(figures.firstBytes, 0)],
    ...[figures.psnrDb === null ? "exact" : fixed(figures.psnrDb, 2), fixed(100 * figures.agreement, 2)],
  ]);
  return formatTable(
    ["clip", "chain", "mode", "bytes on the wire", "of the first frame", "PSNR dB", "agreement %"],
    rows,
  );
}

/** The experiment's tables. */
export function formatStream(points) {
  const streams = points.filter(({ kind }) => kind === "stream");
  const skipped = points.find(({ kind }) => kind === "skipped");
  return `Means over the frames of a clip. \`inter\`: predicted from a frame that the receiver has acknowledged; only chains that
predict have it.
${skipped === undefined ? "" : `\nClips skipped: ${skipped.reason}.\n`}
## At equal PSNR

${ratioTable(streams)}

## All points

${pointTable(streams)}
`;
}
