import sharp from "sharp";
import { parse, textMetrics, View } from "vega";
import { compile } from "vega-lite";
import { plotConfig } from "./theme.mjs";

/** Pixels of the PNG for each of the SVG. */
const pixelRatio = 2;

/** Mean width of a letter of sans-serif type over its size: Vega without a canvas takes 0.8, which leaves holes. */
const letterWidth = 0.6;
textMetrics.width = (item, text) =>
  String(text ?? item.text ?? "").length * letterWidth * (item.fontSize ?? 11);

/** Draws a Vega-Lite spec. @returns the SVG as text and the PNG as bytes */
export async function renderPlot(spec) {
  const { spec: compiled } = compile({ ...spec, config: { ...plotConfig, ...spec.config } });
  const view = new View(parse(compiled), { renderer: "none" });
  try {
    const svg = await view.toSVG();
    const png = await sharp(Buffer.from(svg), { density: 72 * pixelRatio })
      .png({ palette: true, compressionLevel: 9 })
      .toBuffer();
    return { svg, png };
  } finally {
    view.finalize();
  }
}
