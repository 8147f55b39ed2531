/** What a series is read at: percentage points of top-1 lost, and images that are not classified as without damage, in percent. */
export const lossesOf = {
  drop: ({ dropPoints }) => dropPoints,
  disagreement: ({ agreement }) => 100 * (1 - agreement),
};

/**
 * The bytes at which a series loses no more than `target`: from its largest point downwards, between the last that keeps to
 * it and the first that does not, in proportion on a logarithmic axis of bytes.
 * @param points figures of one series, with `bytes`
 * @param lossOf what a point loses, of {@link lossesOf}
 * @returns `{ bytes, isBound }`; `isBound`: even the smallest point keeps to it. undefined: no point does
 */
export function bytesAtLoss(points, target, lossOf) {
  const sorted = points
    .map((point) => ({ bytes: point.bytes, loss: lossOf(point) }))
    .sort((a, b) => b.bytes - a.bytes);
  const firstOver = sorted.findIndex(({ loss }) => loss > target);
  if (firstOver === 0) return undefined;
  if (firstOver < 0) return { bytes: sorted.at(-1).bytes, isBound: true };
  const inside = sorted[firstOver - 1];
  const outside = sorted[firstOver];
  const share = (target - inside.loss) / (outside.loss - inside.loss);
  const bytes = Math.exp(Math.log(inside.bytes) + share * (Math.log(outside.bytes) - Math.log(inside.bytes)));
  return { bytes, isBound: false };
}

/** Points by their series, in the order in which the series appear. */
export const bySeries = (points) =>
  points.reduce((map, point) => map.set(point.series, [...(map.get(point.series) ?? []), point]), new Map());
