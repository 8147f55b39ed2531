import { TensorError } from "@sluice/tensor";
import { takeScan, wrapScan } from "../image/jpeg-stream.js";
import { imageLibrary } from "../image/load-image-library.js";
import type { Stage } from "../stage.js";
import type { StageDefinition } from "../stage-definition.js";
import { checkNumber } from "../stage-parameters.js";

/** Parameters of the stage `jpeg`. */
export interface JpegParameters {
  /** 1 to 100. Default 60. */
  readonly quality?: number;
}

const name = "jpeg";
const qualities = [1, 100, 60] as const;

/**
 * Baseline JPEG of the slice's plane by libjpeg-turbo (spec 6.7). Tables and headers follow from the quality and the
 * size of the plane and are not sent.
 */
export function jpeg({ quality = qualities[2] }: JpegParameters = {}): Stage<"plane", "bytes"> {
  checkNumber(name, "quality", quality, qualities[0], qualities[1], true);
  return {
    ...{ name, text: `${name}:quality=${quality}`, input: "plane", output: "bytes", library: name },
    plan({ size: sizeOf }) {
      const library = imageLibrary(name);
      return {
        output: {},
        encode(plane, extent) {
          const size = sizeOf(extent);
          const file = library.encode(plane, size, (encoder) => {
            encoder.setProgressive?.(false);
            encoder.setQuality(quality);
            encoder.setSubSampling?.(0);
          });
          const scan = takeScan(file, quality, size);
          if (!scan)
            throw new TensorError("codec.jpeg", "its library writes other headers than the codec knows");
          return scan;
        },
        decode(scan, plane, extent) {
          const size = sizeOf(extent);
          return library.decode(wrapScan(scan, quality, size), size, plane) ? undefined : "payload";
        },
      };
    },
  };
}

export const jpegDefinition: StageDefinition = {
  name,
  parameters: ["quality"],
  read: (values) => jpeg({ quality: values.integer("quality", ...qualities) }),
};
