import { decompositionsFor, type Jpeg2000Form, jpeg2000Header } from "../image/jpeg2000-stream.js";
import { type PacketCoding, planPackets } from "../image/plan-packets.js";
import type { PlaneSize, Stage } from "../stage.js";
import type { StageDefinition } from "../stage-definition.js";
import { checkNumber, formatNumber } from "../stage-parameters.js";

/** Parameters of the stage `jpeg2000`. */
export interface Jpeg2000Parameters {
  /** Bytes of the samples for each byte of the payload, 1 to 1000: 8 is one bit a sample. Default 8. */
  readonly ratio?: number;
  /** Levels of the wavelet, 0 to 5; fewer where the plane is small. Default 1. */
  readonly decompositions?: number;
}

const name = "jpeg2000";
const ranges = { ratio: [1, 1000, 8], decompositions: [0, 5, 1] } as const;

/** Steps that OpenJPEG writes: of the lowest subband by decompositions, and of HL, LH and HH from the finest level on. */
const lowestSteps = [0x4000, 0x4824, 0x5f52, 0x6738, 0x6f20, 0x7720] as const;
const levelSteps = [
  [0x57d3, 0x57d3, 0x5762],
  [0x5005, 0x5005, 0x5047],
  [0x6750, 0x6750, 0x6768],
  [0x6f00, 0x6f00, 0x6ee0],
  [0x76f0, 0x76f0, 0x76c0],
] as const;

function formOf(wanted: number, size: PlaneSize): Jpeg2000Form {
  const decompositions = decompositionsFor(wanted, size);
  return {
    ...{ highThroughput: false, decompositions, guardBits: 2 },
    steps: [lowestSteps[decompositions]!, ...levelSteps.slice(0, decompositions).toReversed().flat()],
  };
}

/**
 * JPEG 2000 of the slice's plane by OpenJPEG, cut to a number of bytes (spec 6.8). Headers follow from parameters and
 * size and are not sent.
 */
export function jpeg2000(parameters: Jpeg2000Parameters = {}): Stage<"plane", "bytes"> {
  const { ratio = ranges.ratio[2], decompositions = ranges.decompositions[2] } = parameters;
  checkNumber(name, "ratio", ratio, ranges.ratio[0], ranges.ratio[1], false);
  checkNumber(
    name,
    "decompositions",
    decompositions,
    ranges.decompositions[0],
    ranges.decompositions[1],
    true,
  );
  const ratioText = formatNumber(ratio);
  const coding: PacketCoding = {
    name,
    formOf: (size) => formOf(decompositions, size),
    configure(encoder, form, size, samples) {
      // The library's ratio counts its headers, with a comment of 39 bytes.
      const headerBytes = jpeg2000Header(form, size, 0).length + 41;
      const fileBytes = samples / Number(ratioText) + headerBytes;
      encoder.setQuality(false, 1);
      encoder.setCompressionRatio?.(0, Math.max(1, samples / fileBytes));
    },
  };
  return {
    ...{ name, text: `${name}:ratio=${ratioText},decompositions=${decompositions}` },
    ...{ input: "plane", output: "bytes", library: name },
    plan: (input) => planPackets(coding, input),
  };
}

export const jpeg2000Definition: StageDefinition = {
  name,
  parameters: ["ratio", "decompositions"],
  read: (values) =>
    jpeg2000({
      ratio: values.number("ratio", ...ranges.ratio),
      decompositions: values.integer("decompositions", ...ranges.decompositions),
    }),
};
