import { fixed, formatTable } from "../tables.mjs";
import { bySeries, bytesAtLoss, lossesOf } from "./bytes-at-loss.mjs";

const drops = [0.5, 1, 2, 5];
const disagreements = [2, 4, 6, 10];

/** A chain in a cell of a table. */
export const code = (text) => `\`${text.replaceAll("|", "\\|")}\``;

function row({ text, figures }) {
  const { bytes, payloadBytes, bitsPerElement, psnrDb, top1, dropPoints, dropStandardError } = figures;
  return [
    code(text),
    ...[fixed(bytes, 0), fixed(payloadBytes, 0), fixed(bitsPerElement, 3)],
    ...[psnrDb === null ? "exact" : fixed(psnrDb, 2), fixed(100 * top1, 2)],
    `${fixed(dropPoints, 2)} ± ${fixed(dropStandardError, 2)}`,
    ...[fixed(100 * figures.agreement, 2), fixed(figures.encodeMs, 2), fixed(figures.decodeMs, 2)],
    figures.slicingCost === undefined || figures.slicingCost === null
      ? "-"
      : fixed(100 * figures.slicingCost, 1),
  ];
}

function pointTable(points) {
  const head = [
    "chain",
    "bytes on the wire",
    "payload",
    "bits/element",
    "PSNR dB",
    "top-1 %",
    "drop, points",
  ];
  return formatTable([...head, "agreement %", "encode ms", "decode ms", "slicing %"], points.map(row));
}

function targetCell(points, target, lossOf) {
  const figures = points.map((point) => point.figures);
  const found = bytesAtLoss(figures, target, lossOf);
  if (found === undefined) return "-";
  return `${found.isBound ? "≤ " : ""}${fixed(found.bytes, 0)}`;
}

function targetTable(points, targets, lossOf, headOf) {
  const rows = [...bySeries(points)].map(([series, own]) => [
    code(series),
    ...targets.map((target) => targetCell(own, target, lossOf)),
  ]);
  return formatTable(["series", ...targets.map(headOf)], rows);
}

/** The experiment's tables. */
export function formatRate(points) {
  const isTensor = ({ kind }) => kind === "tensor";
  const images = points.filter((point) => !isTensor(point));
  const base = points[0].figures.baseTop1;
  return `Without any damage: top-1 ${fixed(100 * base, 2)} %.

## Bytes on the wire at a drop of

Interpolated between the points below; \`…\` stands for what was varied; \`-\`: no point was as good.

${targetTable(points, drops, lossesOf.drop, (drop) => `${drop} points`)}

## Bytes on the wire at an agreement of

The share of images that are classified as without damage, right or wrong: finer than the drop.

${targetTable(points, disagreements, lossesOf.disagreement, (share) => `${100 - share} %`)}

## Shared: the tensor at the cut

${pointTable(points.filter(isTensor))}
${
  images.length === 0
    ? ""
    : `
## Server only: the image at the network's input size

${pointTable(images)}
`
}`;
}
