import { palette } from "./theme.mjs";

const shapes = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"];

/**
 * Series in the colour and shape that they have everywhere in a plot, and their names in the same colour, one under
 * the other from (x, y) in pixels of the plot, which may lie outside of its axes.
 * @param names in the order in which they are listed
 * @returns `scales` for the encodings of colour and shape, and `layers`: the list itself
 */
export function legendIn(names, { x, y, lineHeight = 17 }) {
  const colours = names.map((_, i) => palette[i % palette.length]);
  // Where colours begin anew, shapes are others.
  const forms = names.map((_, i) => shapes[(i + Math.floor(i / palette.length)) % shapes.length]);
  const scales = {
    colour: { domain: names, range: colours },
    shape: { domain: names, range: forms },
  };
  const values = names.map((name, i) => ({ name, top: y + i * lineHeight }));
  const place = (offset) => ({
    x: { value: x + offset },
    y: { field: "top", type: "quantitative", scale: null, axis: null },
    color: { field: "name", type: "nominal", scale: scales.colour, legend: null },
  });
  const layers = [
    {
      data: { values },
      mark: { type: "point", filled: true, size: 60, opacity: 1 },
      encoding: { ...place(0), shape: { field: "name", type: "nominal", scale: scales.shape, legend: null } },
    },
    {
      data: { values },
      mark: { type: "text", align: "left", baseline: "middle" },
      encoding: { ...place(10), text: { field: "name", type: "nominal" } },
    },
  ];
  return { scales, layers };
}
