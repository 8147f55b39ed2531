import { parseCodec } from "@sluice/codec";
import { sliceRange } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";
import { planChain } from "#codec/chain.js";
import { chooseSliceCount } from "#codec/slice-count.js";
import { createSliceEncoder } from "#codec/slice-encoder.js";
import type { PlannedStage, Stage } from "#codec/stage.js";
import { elementOrder, orderedAxis } from "#codec/unit-order.js";
import { waveTensor } from "./wave-tensor.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

t.test("of alike slices as many as their bytes ask for", async (t) => {
  t.equal(chooseSliceCount([10], 1, 1000), 11);
  t.equal(chooseSliceCount([0.2], 1, 1000), 1);
  t.equal(chooseSliceCount(new Array<number>(20).fill(0.5), 1, 1000), 11);
  t.equal(chooseSliceCount(new Array<number>(20).fill(0.97), 1, 1000), 20, "settled");
  t.equal(chooseSliceCount(new Array<number>(20).fill(0.5), 15, 1000), 15, "no fewer than are allowed");
  t.equal(chooseSliceCount([10], 1, 4), 4, "no more than there are units");
});

t.test("a few that are too long are split rather than all made shorter", async (t) => {
  const needs = [...new Array<number>(29).fill(0.9), 1.7];
  t.equal(chooseSliceCount(needs, 1, 1000), 28);
  t.equal(chooseSliceCount(new Array<number>(30).fill(1.7), 1, 1000), 53);
});

/** A stage whose payload has as many bytes as a table says for each element, and a count of how often it encodes. */
function tableStage(bytesOf: () => readonly number[]) {
  let encodes = 0;
  const plan: PlannedStage<"tensor", "bytes"> = {
    output: {},
    encode(_, { elements: { first, end } }) {
      encodes++;
      return new Uint8Array(
        bytesOf()
          .slice(first, end)
          .reduce((sum, bytes) => sum + bytes, 0),
      );
    },
    decode: () => undefined,
  };
  const stage: Stage<"tensor", "bytes"> = {
    ...{ name: "table", text: "table", input: "tensor", output: "bytes" },
    plan: () => plan,
  };
  return { stage: stage as Stage, encodes: () => encodes };
}

t.test(
  "slices cover every unit once and fit, frame by frame, and most frames are encoded once",
  async (t) => {
    const frames = fc.array(fc.array(fc.nat(12), { minLength: 150, maxLength: 150, size: "max" }), {
      minLength: 6,
      maxLength: 6,
    });
    let slices = 0;
    let ideal = 0;
    let calls = 0;
    fc.assert(
      fc.property(frames, fc.integer({ min: 40, max: 300 }), (frames, most) => {
        const tensor = waveTensor("uint8", [150]);
        let bytes = frames[0]!;
        const { stage, encodes } = tableStage(() => bytes);
        const order = elementOrder(tensor);
        const context = {
          spec: tensor,
          order,
          axis: orderedAxis(tensor, order),
          rows: 1,
          statistics: undefined,
        };
        const encoder = createSliceEncoder(tensor, planChain([stage], context));
        for (const [f, frame] of frames.entries()) {
          bytes = frame;
          const before = encodes();
          const encoded = encoder.encode(tensor, most);
          let at = 0;
          for (const { index, count, payload } of encoded.slices) {
            const { first, end } = sliceRange(index, count, 150);
            if (first !== at || payload.length > most) return false;
            at = end;
          }
          if (at !== 150) return false;
          if (f > 0) {
            slices += encoded.slices.length;
            ideal += Math.ceil(frame.reduce((sum, size) => sum + size, 0) / most);
            calls += encodes() - before;
          }
        }
        return true;
      }),
      { seed, numRuns: 200 },
    );
    t.comment(`${slices} slices, ${ideal} at best, ${calls} encoded`);
    t.ok(slices < 1.4 * ideal);
    t.ok(calls < 1.25 * slices);
  },
);

t.test("a unit that does not fit is named", async (t) => {
  const tensor = waveTensor("uint8", [9]);
  const { stage } = tableStage(() => [1, 1, 1, 1, 1, 101, 1, 1, 1]);
  const order = elementOrder(tensor);
  const context = { spec: tensor, order, axis: orderedAxis(tensor, order), rows: 1, statistics: undefined };
  const encoder = createSliceEncoder(tensor, planChain([stage], context));
  t.throws(() => encoder.encode(tensor, 100), {
    field: "maxPayloadBytes",
    message: "maxPayloadBytes: 100, unit 5 of 9 takes more",
  });
  t.equal(encoder.encode(tensor, 101).slices.length > 1, true);
});

t.test("a payload that is split keeps to its own units", async (t) => {
  const tensor = waveTensor("float32", [6, 15, 15]);
  const codec = parseCodec("quantize:levels=60 | entropy");
  const encoded = codec.createEncoder(tensor).encode(tensor, 600);
  for (const slice of encoded.slices) {
    const whole = sliceRange(slice.index, slice.count, 1350);
    const parts = encoded.split(slice, 100);
    t.ok(parts.length > 1 && parts.every(({ payload }) => payload.length <= 100));
    const ranges = parts.map(({ index, count }) => sliceRange(index, count, 1350));
    t.equal(ranges[0]!.first, whole.first);
    t.equal(ranges.at(-1)!.end, whole.end);
    t.ok(ranges.every(({ first }, i) => i === 0 || first === ranges[i - 1]!.end));
  }
});
