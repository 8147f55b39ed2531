/**
 * The bytes at which a series loses no more than `target` points of top-1: from its largest point downwards, between
 * the last that keeps to it and the first that does not, in proportion on a logarithmic axis of bytes.
 * @param points of one series, `{ bytes, dropPoints }`
 * @returns `{ bytes, isBound }`; `isBound`: even the smallest point keeps to it. undefined: no point does
 */
export function bytesAtDrop(points, target) {
  const sorted = points.toSorted((a, b) => b.bytes - a.bytes);
  const firstOver = sorted.findIndex(({ dropPoints }) => dropPoints > target);
  if (firstOver === 0) return undefined;
  if (firstOver < 0) return { bytes: sorted.at(-1).bytes, isBound: true };
  const inside = sorted[firstOver - 1];
  const outside = sorted[firstOver];
  const share = (target - inside.dropPoints) / (outside.dropPoints - inside.dropPoints);
  const bytes = Math.exp(Math.log(inside.bytes) + share * (Math.log(outside.bytes) - Math.log(inside.bytes)));
  return { bytes, isBound: false };
}

/** Points by their series, in the order in which the series appear. */
export const bySeries = (points) =>
  points.reduce((map, point) => map.set(point.series, [...(map.get(point.series) ?? []), point]), new Map());
