import { parseCodec, type Stage } from "@sluice/codec";
import { createTensor, type Tensor } from "@sluice/tensor";
import t from "tap";
import { planChain } from "#codec/chain.js";
import { raw as rawStage } from "#codec/stages/raw.js";
import { elementOrder, orderedAxis } from "#codec/unit-order.js";

const raw = parseCodec("raw");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

const golden: [Tensor, string][] = [
  [createTensor("float32", [2], Float32Array.of(1, -2)), "0000803f000000c0"],
  [createTensor("float16", [2], Uint16Array.of(0x3c00, 0xc001)), "003c01c0"],
  [createTensor("uint8", [1, 2, 2], Uint8Array.of(0, 1, 254, 255), "hwc"), "0001feff"],
  [createTensor("int8", [2], Int8Array.of(-1, 2)), "ff02"],
  [createTensor("int32", [2], Int32Array.of(1, -2)), "01000000feffffff"],
];

t.test("payloads are copies, or views of the tensor where they may be", async (t) => {
  const tensor = createTensor(
    "uint8",
    [100],
    Uint8Array.from({ length: 100 }, (_, i) => i),
  );
  const encoder = raw.createEncoder(tensor);
  const copies = encoder.encode(tensor, 40).slices;
  const views = encoder.encode(tensor, 40, { mayBorrow: true }).slices;
  t.strictSame(
    views.map(({ index, count, payload }) => [index, count, hex(payload)]),
    copies.map(({ index, count, payload }) => [index, count, hex(payload)]),
  );
  for (const { payload } of views) t.equal(payload.buffer, tensor.data.buffer);
  for (const { payload } of copies) t.not(payload.buffer, tensor.data.buffer);
  // A stage that writes to memory of its own for each slice must go on being copied.
  const packed = parseCodec("quantize:levels=4");
  const floats = createTensor(
    "float32",
    [100],
    Float32Array.from({ length: 100 }, (_, i) => i),
  );
  const { slices } = packed.createEncoder(floats).encode(floats, 20, { mayBorrow: true });
  const alone = packed.createEncoder(floats).encode(floats, 20).slices;
  t.ok(slices.length > 1);
  t.strictSame(
    slices.map(({ payload }) => hex(payload)),
    alone.map(({ payload }) => hex(payload)),
  );
});

t.test("elements in little-endian order, on either kind of machine", async (t) => {
  for (const [tensor, bytes] of golden) {
    const [slice] = raw.createEncoder(tensor).encode(tensor, 1000).slices;
    t.equal(hex(slice!.payload), bytes, tensor.dtype);

    // As a big-endian machine would: its memory holds the reverse of each element.
    const order = elementOrder(tensor);
    const context = { spec: tensor, order, axis: orderedAxis(tensor, order), rows: 1, statistics: undefined };
    const chain = planChain([rawStage(false) as Stage], context);
    const all = { first: 0, end: tensor.data.length };
    chain.take(tensor);
    const payload = chain.encode(all, 1000) as Uint8Array;
    const size = tensor.data.BYTES_PER_ELEMENT;
    const reversed = (bytes.match(new RegExp(`.{${2 * size}}`, "g")) ?? []).map((element) =>
      hex(Buffer.from(element, "hex").reverse()),
    );
    t.equal(hex(payload), reversed.join(""));
    const back = createTensor(tensor.dtype, tensor.shape, undefined, tensor.layout);
    chain.decode(payload, all, back);
    t.strictSame(back, tensor);
  }
});

t.test("an image of bytes goes through bit by bit, in slices of any size", async (t) => {
  const image = createTensor(
    "uint8",
    [28, 28, 3],
    Uint8Array.from({ length: 28 * 28 * 3 }, (_, i) => (i * 37) % 256),
    "hwc",
  );
  for (const maxPayloadBytes of [1, 100, 1150, 5000]) {
    const slices = raw.createEncoder(image).encode(image, maxPayloadBytes).slices;
    t.equal(slices.length, Math.ceil(2352 / maxPayloadBytes));
    const partial = raw.createDecoder(image).begin();
    for (const { index, count, payload } of slices.toReversed()) partial.add(index, count, payload);
    t.strictSame(partial.finish().tensor, image);
  }
});

t.test("float32 keeps NaN, infinities and negative zero; a view's neighbours are not sent", async (t) => {
  const memory = Float32Array.of(7, Number.NaN, Number.NEGATIVE_INFINITY, -0, 9);
  const tensor = createTensor("float32", [3], memory.subarray(1, 4));
  const [slice] = raw.createEncoder(tensor).encode(tensor, 100).slices;
  t.equal(hex(slice!.payload), "0000c07f000080ff00000080");
  const partial = raw.createDecoder(tensor).begin();
  // At an odd offset, as it lies in a datagram.
  const datagram = new Uint8Array(13);
  datagram.set(slice!.payload, 1);
  partial.add(0, 1, datagram.subarray(1));
  t.strictSame(partial.finish().tensor.data, tensor.data);
});
