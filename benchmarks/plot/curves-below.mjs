/**
 * Cuts curves where they leave a plot at its top, so that nothing is drawn outside.
 * @param points of one curve, `{ x, y }` and more, x on a logarithmic axis
 * @param top the largest y that is shown
 * @returns the points to draw lines through, each with the number of its `piece`: a curve that leaves and comes back
 *   has several. Where it leaves, a point on the edge was added
 */
export function curvesBelow(points, top) {
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const drawn = [];
  let piece = 0;
  sorted.forEach((point, i) => {
    const next = sorted[i + 1];
    if (point.y <= top) drawn.push({ ...point, piece });
    if (next === undefined || point.y <= top === next.y <= top) return;
    if (point.y > top) piece++;
    const share = (top - point.y) / (next.y - point.y);
    const x = Math.exp(Math.log(point.x) + share * (Math.log(next.x) - Math.log(point.x)));
    drawn.push({ ...point, x, y: top, piece });
  });
  return drawn;
}
