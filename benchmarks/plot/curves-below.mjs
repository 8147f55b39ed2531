/**
 * Cuts curves where they leave a plot at its top, so that nothing is drawn outside.
 * @param points of one curve, `{ x, y }` and more
 * @param top the largest y that is shown
 * @param isLogarithmic whether the axis of x is
 * @returns the points to draw lines through, each with the number of its `piece`: a curve that leaves and comes back
 *   has several. Where it leaves, a point on the edge was added
 */
export function curvesBelow(points, top, { isLogarithmic }) {
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const drawn = [];
  let piece = 0;
  sorted.forEach((point, i) => {
    const next = sorted[i + 1];
    if (point.y <= top) drawn.push({ ...point, piece });
    if (next === undefined || point.y <= top === next.y <= top) return;
    if (point.y > top) piece++;
    const share = (top - point.y) / (next.y - point.y);
    const x = isLogarithmic ? point.x * (next.x / point.x) ** share : point.x + share * (next.x - point.x);
    drawn.push({ ...point, x, y: top, piece });
  });
  return drawn;
}
