import { fixed, formatTable } from "../tables.mjs";

export const distinct = (points, key) =>
  [...new Set(points.map((point) => point[key]))].sort((a, b) => a - b);

function matrix(points, cell) {
  const clips = distinct(points, "clip");
  const rows = distinct(points, "levels").map((levels) => [
    String(levels),
    ...clips.map((clip) => {
      const point = points.find((each) => each.levels === levels && each.clip === clip);
      return point === undefined ? "-" : cell(point.figures);
    }),
  ]);
  return formatTable(["levels", ...clips.map((clip) => `${clip} σ`)], rows);
}

/** For each number of levels the clip width with the least squared error, and the one that loses the least. */
function bestTable(points) {
  const rows = distinct(points, "levels").map((levels) => {
    const own = points.filter((point) => point.levels === levels);
    const least = (figure) => own.reduce((a, b) => (figure(b.figures) < figure(a.figures) ? b : a));
    const byError = least(({ relativeError }) => relativeError);
    const byDrop = least(({ dropPoints }) => dropPoints);
    return [
      String(levels),
      fixed(own[0].figures.bytes, 0),
      `${byError.clip} σ (drop ${fixed(byError.figures.dropPoints, 2)})`,
      `${byDrop.clip} σ (drop ${fixed(byDrop.figures.dropPoints, 2)})`,
    ];
  });
  return formatTable(["levels", "bytes on the wire", "least squared error at", "least drop at"], rows);
}

/** The experiment's tables. */
export function formatQuantizer(points) {
  return `Without any damage: top-1 ${fixed(100 * points[0].figures.baseTop1, 2)} %. A range never reaches beyond the values that a tensor has.

## Top-1 drop in points, ± its standard error

${matrix(points, ({ dropPoints, dropStandardError }) => `${fixed(dropPoints, 2)} ± ${fixed(dropStandardError, 2)}`)}

## Squared error, in percent of the tensor's variance

${matrix(points, ({ relativeError }) => fixed(100 * relativeError, 3))}

## Which clip width

${bestTable(points)}
`;
}
