import sharp from "sharp";
import { parse, View } from "vega";
import { compile } from "vega-lite";
import { plotConfig } from "./theme.mjs";

/** Pixels of the PNG for each of the SVG. */
const pixelRatio = 2;

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
