import { fixed, formatTable } from "../tables.mjs";

const methods = ["none", "whole", "fractional"];

function cell(figures) {
  if (figures === undefined) return "-";
  const { median, low, high, exact, n } = figures;
  if (exact === n) return `exact, all ${n}`;
  const shown = (value) => (value === null ? "exact" : fixed(value, 1));
  return `${shown(median)} (${shown(low)} to ${shown(high)})${exact > 0 ? `, ${exact} of ${n} exact` : ""}`;
}

function table(points, label, keyOf) {
  const keys = [...new Set(points.map(keyOf))];
  const rows = keys.map((key) => {
    const own = points.filter((point) => keyOf(point) === key);
    return [key, ...methods.map((method) => cell(own.find((point) => point.method === method)?.figures))];
  });
  return formatTable([label, "as it was before", "whole vectors", "vectors with fractions"], rows);
}

const movedBy = ({ pixels, stride }) => `${pixels} (${pixels / stride})`;

/** The experiment's tables. */
export function formatMotion(points) {
  const moved = (area) => points.filter((point) => point.kind === "moved" && point.area === area);
  const clips = points.filter(({ kind }) => kind === "clip");
  const skipped = points.find(({ kind }) => kind === "skipped");
  return `PSNR in dB of the tensor that is predicted from the reference: median (10th to 90th percentile); the peak is the tensor's range.

## The input moved, right, down and both, by pixels (elements of the tensor)

The whole picture moves by a known vector. Where it came in from outside is not looked at.

${table(moved("all"), "moved by", movedBy)}

The same without the elements at the edges, where the network sees its own padding:

${table(moved("inner"), "moved by", movedBy)}

## Clips

${
  skipped === undefined
    ? `Each frame from one before, over the whole tensor; vectors are searched for block by block (4 x 4 elements of all
channels, up to 4 elements away, then in halves and quarters with bilinear values between elements).

${table(clips, "clip", ({ clip, gap }) => `${clip}, ${gap} before`)}`
    : `Skipped: ${skipped.reason}.`
}
`;
}
