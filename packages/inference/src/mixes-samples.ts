import type { OutputTensor, Tensor } from "@sluice/tensor";
import type { Engine } from "./engine.js";
import { numbersOf } from "./numbers-of.js";
import { sampleOf } from "./profile/noise.js";
import { createSeededRandom } from "./sources/seeded-random.js";
import type { TensorInfo } from "./tensor-info.js";

/** Rounding, and the steps of quantized networks, stay far below this share of an output's values. */
const tolerance = 0.05;

/**
 * Whether what comes out for a sample depends on those beside it in a batch: in a network whose open first axis is the time and not
 * the batch, or that normalizes over the batch. Runs two samples of noise alone and together; at
 * another server, too, where the same fault would be as bad, and measuring batches costs more.
 * @returns `false` also where the network does not run on noise
 */
export async function mixesSamples(engine: Engine): Promise<boolean> {
  const { inputs } = engine;
  if (inputs.length === 0 || inputs.some(({ batch }) => batch !== "dynamic")) return false;
  const random = createSeededRandom(1);
  const sample = () => inputs.map((input) => noise(input, random));
  const samples = [sample(), sample()];
  try {
    const together = await engine.answer(samples);
    for (const [i, sample] of samples.entries()) {
      const [alone] = await engine.answer([sample]);
      if (alone!.some((output, k) => !areNear(output, together[i]![k]!))) return true;
    }
  } catch {
    // Numbers that mean something, such as words, are not to be made up.
  }
  return false;
}

/** Unlike for each sample: of integers, which may be places in a table, zeros and ones. */
function noise(input: TensorInfo, random: () => number): Tensor {
  const isWhole = !input.dtype.startsWith("float");
  return sampleOf(input, () => (isWhole ? Math.floor(2 * random()) : 2 * random() - 1));
}

function areNear(alone: OutputTensor, together: OutputTensor): boolean {
  const [a, b] = [numbersOf(alone), numbersOf(together)];
  if (a.length !== b.length) return false;
  let size = 0;
  let difference = 0;
  for (let i = 0; i < a.length; i++) {
    if (!Number.isFinite(a[i]! - b[i]!)) continue;
    size += a[i]! ** 2;
    difference += (a[i]! - b[i]!) ** 2;
  }
  return Math.sqrt(difference) <= tolerance * Math.sqrt(size);
}
