// Slices of a stream whose scene moves are lost: what is made up for them moves with it.
import { type EncodedSlice, parseCodec } from "@sluice/codec";
import { createConcealer, createLastTensor } from "@sluice/concealment";
import { type ReceivedFrame, type TensorStreamOptions, tensorStreamDefaults } from "@sluice/protocol";
import { type CutStatistics, createTensor, type Tensor } from "@sluice/tensor";
import t from "tap";
import { serveEach } from "#src/served-model.js";
import { createTensorReceiver } from "#src/tensor-receiver.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const spec = { dtype: "float32", shape: [3, 24, 24], layout: "chw" } as const;
const elements = 3 * 24 * 24;

function createRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Components are channels; their scales fall with the frequency. */
const statistics: CutStatistics = {
  ...{ cut: "cut", shape: spec.shape, samples: 1 },
  channelMean: new Float32Array(3).fill(5),
  channelDeviation: new Float32Array(3).fill(2),
  channelMinimum: new Float32Array(3).fill(0),
  channelMaximum: new Float32Array(3).fill(10),
  meanElement: new Float32Array(elements).fill(5),
  transform: {
    ...{ block: [4, 4], matrixOfBand: new Uint8Array(16), matrices: new Int8Array(0) },
    gains: new Float32Array(3).fill(0.25),
    scales: Uint8Array.from({ length: 48 }, (_, i) => 100 - Math.floor(i / 3)),
    coarseScales: Uint8Array.from({ length: 48 }, (_, i) => 84 - Math.floor(i / 3)),
  },
};
const hash = new Uint8Array(32).fill(1);
const codec = "sluice:quality=60,layers=2,memory=4,motion=4";

/** A texture that is larger than the tensors, seen through a window. */
function createScene(random: () => number): (top: number, left: number) => Tensor {
  const side = 96;
  const noise = Float64Array.from({ length: 3 * side * side }, random);
  const at = (c: number, y: number, x: number): number => noise[(c * side + y) * side + x]!;
  return (top, left) => {
    const tensor = createTensor("float32", spec.shape, undefined, "chw");
    for (let i = 0; i < elements; i++) {
      const [c, y, x] = [Math.floor(i / 576), top + (Math.floor(i / 24) % 24), left + (i % 24)];
      let sum = 0;
      for (const dy of [0, 1, 2]) for (const dx of [0, 1, 2]) sum += at(c, y + dy, x + dx);
      tensor.data[i] = Math.min(10, Math.max(0, 5 + 4 * (sum - 4.5)));
    }
    return tensor;
  };
}

const wanted = (concealment: string): TensorStreamOptions => ({
  ...tensorStreamDefaults,
  ...{ spec, split: "", model: "m", codec, mode: "datagram", deadlineMs: 100, concealment },
  statisticsHash: hash,
});

function received(frame: number, slices: readonly EncodedSlice[]): ReceivedFrame {
  return {
    ...{ stream: 1, frame, slicesRecovered: 0, unitsReceived: 0, units: 72 },
    ...{ firstArrivalMs: 0, lastArrivalMs: 0, capturedMs: 0, expiresAtMs: 100 },
    slices: slices.map((slice) => ({ ...slice, arrivalMs: 0, isRecovered: false })),
  };
}

t.test("a lost part of a moving scene is nearer than where nothing is taken to move", async (t) => {
  for (const method of ["temporal", "auto"] as const) {
    const random = createRandom(seed);
    const scene = createScene(random);
    const receiver = await createTensorReceiver(wanted(method), {
      ...serveEach(async () => undefined),
      statistics: { hash, value: statistics },
    });
    const encoder = parseCodec(codec).createEncoder(spec, statistics);
    const decoder = parseCodec(codec).createDecoder(spec, statistics);
    const concealer = createConcealer(spec, method, { statistics });
    const last = createLastTensor();
    const sum = { moving: 0, still: 0, missing: 0 };
    for (let frame = 0; frame < 24; frame++) {
      const whole = scene(frame, 60 - 2 * frame);
      const { slices } = encoder.encode(whole, 120, { frame });
      const isLossy = frame % 3 === 2;
      const kept = isLossy ? slices.filter(() => random() >= 0.25) : slices;
      const result = receiver.receive(received(frame, kept), () => 0);
      const partial = decoder.begin(frame);
      for (const { index, count, payload } of kept) partial.add(index, count, payload);
      const { tensor, missing, missingCount } = partial.finish();
      if (missingCount > 0) concealer.conceal(tensor, missing, last.tensor && { tensor: last.tensor });
      last.offer(frame, tensor, missingCount);
      if (kept.length === slices.length) encoder.acknowledge?.(frame);
      for (const [i, flag] of missing.entries()) {
        if (flag === 0) continue;
        sum.missing++;
        sum.moving += (result!.tensor.data[i]! - whole.data[i]!) ** 2;
        sum.still += (tensor.data[i]! - whole.data[i]!) ** 2;
      }
    }
    t.ok(sum.missing > 500, `${method}: ${sum.missing} elements were missing`);
    t.ok(sum.moving < 0.5 * sum.still, `${method}: ${sum.moving}, where nothing moves ${sum.still}`);
  }
});
