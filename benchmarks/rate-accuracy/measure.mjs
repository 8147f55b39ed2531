import { elementCount, psnr, readFloat32 } from "@sluice/tensor";
import { comparePredictions } from "../accuracy/compare-predictions.mjs";
import { mean, median, quantile } from "../accuracy/quantile.mjs";

/** Images of which the cost of slicing is measured, by encoding them a second time. */
const slicedTwice = 100;
/** No slice is larger than what a tensor of the largest size takes as float32. */
const unlimitedBytes = 1 << 26;

const asFloat32 = (tensor) =>
  readFloat32(tensor, 0, tensor.data.length, new Float32Array(tensor.data.length));

function meanSquaredError(reference, other) {
  let squares = 0;
  for (let i = 0; i < reference.length; i++) squares += (reference[i] - other[i]) ** 2;
  return squares / reference.length;
}

/** A time in milliseconds, and what the work gave. */
async function timed(work) {
  const startMs = performance.now();
  const value = await work();
  return { value, ms: performance.now() - startMs };
}

/**
 * Sends what is to be sent of every image through a codec and over the wire, and classifies what comes out.
 * @param images each with `label`, `base` (the class found without damage), `sent` (a tensor or pixels) and the `half` of the
 *   images that it is in, by default 0
 * @param codecs for each half: `encode(sent, maxPayloadBytes)` and `decode(slices)`, which may be asynchronous
 * @param seconds others of the same, for the cost of slicing; by default it is not measured
 * @param network `inBatches`, and `classify(decoded)` for a list of what `decode` gave
 */
export async function measure({
  images,
  codecs,
  seconds = [],
  wire,
  maxPayloadBytes,
  network,
  classify,
  signal,
}) {
  const figures = { bytes: [], payload: [], datagrams: [], encode: [], decode: [], psnr: [], squares: [] };
  let missing = 0;
  const cost = { sliced: 0, whole: 0 };
  const predictions = [];
  await network.inBatches(images, async (batch, first) => {
    signal.throwIfAborted();
    const decoded = [];
    for (let i = 0; i < batch.length; i++) {
      const { sent, half = 0 } = batch[i];
      const codec = codecs[half];
      const encoded = await timed(() => codec.encode(sent, maxPayloadBytes));
      const { arrived, bytes, payloadBytes, datagrams } = wire.send(encoded.value);
      const restored = await timed(() => codec.decode(arrived));
      const { tensor, missingCount } = restored.value;
      figures.bytes.push(bytes);
      figures.payload.push(payloadBytes);
      figures.datagrams.push(datagrams);
      figures.encode.push(encoded.ms);
      figures.decode.push(restored.ms);
      figures.psnr.push(psnr(asFloat32(sent), asFloat32(tensor)));
      figures.squares.push(meanSquaredError(asFloat32(sent), asFloat32(tensor)));
      missing += missingCount;
      if (seconds[half] !== undefined && first + i < slicedTwice) {
        cost.sliced += payloadBytes;
        for (const { payload } of seconds[half].encode(sent, unlimitedBytes)) cost.whole += payload.length;
      }
      decoded.push(tensor);
    }
    predictions.push(...(await classify(decoded)));
  });
  const elements = elementCount(images[0].sent.shape);
  const labels = images.map(({ label }) => label);
  const base = images.map((image) => image.base);
  const finite = figures.psnr.filter(Number.isFinite);
  return {
    bytes: mean(figures.bytes),
    bytes95: quantile(figures.bytes, 0.95),
    payloadBytes: mean(figures.payload),
    datagrams: mean(figures.datagrams),
    bitsPerElement: (8 * mean(figures.bytes)) / elements,
    // Tensors that came out as they went in have no finite one.
    psnrDb: finite.length === 0 ? null : mean(finite),
    exact: figures.psnr.length - finite.length,
    meanSquaredError: mean(figures.squares),
    missing: missing / (elements * images.length),
    slicingCost: cost.whole === 0 ? null : cost.sliced / cost.whole - 1,
    ...comparePredictions(labels, base, predictions),
    encodeMs: median(figures.encode),
    decodeMs: median(figures.decode),
  };
}
