import {
  type CutStatistics,
  channelAxis,
  createTensor,
  elementCount,
  type Layout,
  type Tensor,
  type TensorSpec,
} from "@sluice/tensor";

/** A generator of numbers from 0 to 1, exclusive. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // Mulberry32 (Tommy Ettinger, public domain).
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a test wants of {@link madeStatistics}. */
export interface MadeStatistics {
  readonly block?: readonly [number, number];
  /** Components are channels. */
  readonly plain?: boolean;
  /** Of all coefficients; by default they fall with the frequency. */
  readonly scale?: number;
}

/** Statistics with a transform that was made up: matrices near a rotation, values from 0 to 10. */
export function madeStatistics(
  shape: readonly number[],
  layout: Layout,
  random: () => number,
  { block = [4, 4], plain = false, scale }: MadeStatistics = {},
): CutStatistics {
  const { channels } = channelAxis(shape, layout);
  const bands = block[0] * block[1];
  const all = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));
  const matrices = plain
    ? []
    : all(2 * channels ** 2, (i) => {
        const isDiagonal = Math.floor(i / channels) % channels === i % channels;
        return isDiagonal ? 127 : Math.round((40 * (random() - 0.5)) / Math.sqrt(channels));
      });
  return {
    ...{ cut: "made-up", shape, samples: 1 },
    channelMean: new Float32Array(channels).fill(5),
    channelDeviation: new Float32Array(channels).fill(2),
    channelMinimum: new Float32Array(channels).fill(0),
    channelMaximum: new Float32Array(channels).fill(10),
    meanElement: new Float32Array(elementCount(shape)).fill(5),
    transform: {
      block,
      matrixOfBand: Uint8Array.from(all(bands, (band) => (band === 0 ? 0 : 1))),
      matrices: Int8Array.from(matrices),
      gains: new Float32Array(2 * channels).fill(plain ? 0.5 : 0.5 / 127),
      scales: Uint8Array.from(
        all(bands * channels, (i) => scale ?? 64 + Math.max(0, 44 - Math.floor(i / channels) * 2)),
      ),
      coarseScales: Uint8Array.from(
        all(bands * channels, (i) => scale ?? 64 + Math.max(0, 28 - Math.floor(i / channels) * 2)),
      ),
    },
  };
}

/** A smooth tensor with some noise, within 0 to 10. */
export function smoothTensor(spec: TensorSpec, random: () => number, noise = 0.2): Tensor {
  const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  const pace = 0.05 + random() * 0.1;
  for (let i = 0; i < tensor.data.length; i++) {
    tensor.data[i] = Math.min(10, Math.max(0, 5 + 3 * Math.sin(i * pace) + noise * (random() - 0.5)));
  }
  return tensor;
}
