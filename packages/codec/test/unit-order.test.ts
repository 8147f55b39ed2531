import { pipe, quantize, raw } from "@sluice/codec";
import { createTensor } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";
import { elementOrder, extentOf, fromUnitOrder, toUnitOrder, type UnitOrder } from "#codec/unit-order.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

t.test("elements of any piece come to their places in the order and back", async () => {
  const piece = fc.nat({ max: 40 }).chain((length) =>
    fc.record({
      places: fc.shuffledSubarray([...Array(length + 1).keys()], { minLength: length + 1 }),
      bounds: fc.tuple(fc.nat({ max: length + 1 }), fc.nat({ max: length + 1 })),
      dtype: fc.constantFrom("uint8" as const, "float32" as const, "int32" as const),
    }),
  );
  fc.assert(
    fc.property(piece, ({ places, bounds, dtype }) => {
      const { length } = places;
      const spec = { dtype, shape: [length], layout: "any" } as const;
      const order: UnitOrder = {
        ...elementOrder(spec),
        reordered: { kind: "table", places: Uint32Array.from(places) },
      };
      const [first, end] = [Math.min(...bounds), Math.max(...bounds)];
      const tensor = createTensor(dtype, [length]);
      for (let i = 0; i < length; i++) tensor.data[i] = i + 1;
      const ordered = createTensor(dtype, [length]);
      toUnitOrder(order, extentOf(order, first, end), tensor, ordered);
      const isOrdered = places.every(
        (place, i) => ordered.data[i] === (i >= first && i < end ? place + 1 : 0),
      );
      const back = createTensor(dtype, [length]);
      fromUnitOrder(order, extentOf(order, first, end), ordered, back);
      const isBack = places.every((place, i) => back.data[place] === (i >= first && i < end ? place + 1 : 0));
      return isOrdered && isBack;
    }),
    { seed, numRuns: 500 },
  );
});

for (const { name, codec, interleave } of [
  { name: "raw, in order", codec: pipe(raw()), interleave: "" },
  { name: "raw, interleaved", codec: pipe(raw()), interleave: "checkerboard" },
  { name: "quantized, interleaved", codec: pipe(quantize({ levels: 32 })), interleave: "checkerboard" },
]) {
  t.test(`${name}: payloads stay as they are when the next tensor is encoded`, async (t) => {
    const spec = { dtype: "float32", shape: [8, 9, 10], layout: "chw" } as const;
    const tensorOf = (phase: number) =>
      createTensor(
        "float32",
        spec.shape,
        Float32Array.from({ length: 720 }, (_, i) => Math.sin(i + phase)),
      );
    const encoder = codec.createEncoder(spec, undefined, interleave);
    const [tensor, next] = [tensorOf(0), tensorOf(1)];
    const encoded = encoder.encode(tensor, 100);
    const copies = encoded.slices.map(({ payload }) => payload.slice());
    t.ok(encoded.slices.length > 3);
    encoder.encode(next, 100);
    for (const [i, { payload }] of encoded.slices.entries()) t.same(payload, copies[i]);

    const again = encoded.split(encoded.slices[1]!, 60);
    t.ok(again.length > 1, "parts of the first tensor's slice");
    const decoder = codec.createDecoder(spec, undefined, interleave).begin();
    for (const { index, count, payload } of [encoded.slices[0]!, ...again, ...encoded.slices.slice(2)])
      t.equal(decoder.add(index, count, payload), undefined);
    const whole = codec.createDecoder(spec, undefined, interleave).begin();
    for (const { index, count, payload } of encoder.encode(tensor, 100).slices)
      whole.add(index, count, payload);
    const found = decoder.finish();
    t.equal(found.missingCount, 0);
    t.same(found.tensor.data, whole.finish().tensor.data);
  });
}
