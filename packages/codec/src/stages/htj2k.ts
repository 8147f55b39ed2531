import { decompositionsFor, type Jpeg2000Form } from "../image/jpeg2000-stream.js";
import { type PacketCoding, planPackets } from "../image/plan-packets.js";
import type { PlaneSize, Stage } from "../stage.js";
import type { StageDefinition } from "../stage-definition.js";
import { checkNumber, formatNumber } from "../stage-parameters.js";

/** Parameters of the stage `htj2k`. */
export interface Htj2kParameters {
  /** Step of the quantization as a share of the range of samples, 0.001 to 0.5. Default 0.02. */
  readonly step?: number;
  /** Levels of the wavelet, 0 to 5; fewer where the plane is small. Default 1. */
  readonly decompositions?: number;
}

const name = "htj2k";
const ranges = { step: [0.001, 0.5, 0.02], decompositions: [0, 5, 1] } as const;

/** Square roots of the energy gains of the 9-7 wavelet's synthesis, by level: low-pass and high-pass (OpenJPH). */
const lowGains = [1, 1.4021, 2.0304, 2.9012, 4.1153, 5.8245] as const;
const highGains = [1.4425, 1.9669, 2.8839, 4.1475, 5.8946] as const;

/** A step as exponent << 11 | mantissa (T.800, E.1.1), in float32 as OpenJPH computes it. */
function stepWord(step: number, gainA: number, gainB: number): number {
  const gain = Math.fround(Math.fround(gainA) * Math.fround(gainB));
  let delta = Math.fround(Math.fround(step) / gain);
  let exponent = 0;
  for (; delta < 1; delta *= 2) exponent++;
  const mantissa = Math.round(Math.fround(delta * 2048)) - 2048;
  return (exponent << 11) | Math.min(2047, mantissa);
}

function formOf(step: number, wanted: number, size: PlaneSize): Jpeg2000Form {
  const decompositions = decompositionsFor(wanted, size);
  const low = lowGains[decompositions]!;
  const steps = [stepWord(step, low, low)];
  for (let level = decompositions; level > 0; level--) {
    const high = highGains[level - 1]!;
    const mixed = stepWord(step, lowGains[level]!, high);
    steps.push(mixed, mixed, stepWord(step, high, high));
  }
  return { highThroughput: true, decompositions, guardBits: 1, steps };
}

/**
 * High-throughput JPEG 2000 of the slice's plane by OpenJPH (spec 6.8). Headers follow from parameters and size and are
 * not sent.
 */
export function htj2k(parameters: Htj2kParameters = {}): Stage<"plane", "bytes"> {
  const { step = ranges.step[2], decompositions = ranges.decompositions[2] } = parameters;
  checkNumber(name, "step", step, ranges.step[0], ranges.step[1], false);
  checkNumber(
    name,
    "decompositions",
    decompositions,
    ranges.decompositions[0],
    ranges.decompositions[1],
    true,
  );
  const stepText = formatNumber(step);
  const coding: PacketCoding = {
    name,
    formOf: (size) => formOf(Number(stepText), decompositions, size),
    configure: (encoder) => encoder.setQuality(false, Number(stepText)),
  };
  return {
    ...{ name, text: `${name}:step=${stepText},decompositions=${decompositions}` },
    ...{ input: "plane", output: "bytes", library: name },
    plan: (input) => planPackets(coding, input),
  };
}

export const htj2kDefinition: StageDefinition = {
  name,
  parameters: ["step", "decompositions"],
  read: (values) =>
    htj2k({
      step: values.number("step", ...ranges.step),
      decompositions: values.integer("decompositions", ...ranges.decompositions),
    }),
};
