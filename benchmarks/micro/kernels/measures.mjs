import { createPlainSymbolCoder } from "../../../packages/codec/dist/entropy/plain-symbols.js";
import { createSimdSymbolCoder } from "../../../packages/codec/dist/entropy/simd-symbols.js";
import { createIntervalList } from "../../../packages/codec/dist/sluice/entropy-kernel.js";
import { plainEntropy } from "../../../packages/codec/dist/sluice/plain-entropy.js";
import { createPlainTransform } from "../../../packages/codec/dist/sluice/plain-transform.js";
import { createSimdEntropy } from "../../../packages/codec/dist/sluice/simd-entropy.js";
import { createSimdTransform } from "../../../packages/codec/dist/sluice/simd-transform.js";
import { plainCombiner } from "../../../packages/protocol/dist/fec/plain-combiner.js";
import { createReedSolomon } from "../../../packages/protocol/dist/fec/reed-solomon.js";
import { createSimdCombiner } from "../../../packages/protocol/dist/fec/simd-combiner.js";
import { plainKernels, planeSize, tensorKernels } from "../../../packages/tensor/dist/index.js";

/** The tensor of the bounds: 128 channels of 56 x 56. */
const elements = 401_408;
const levels = 8;
const symbolBytes = 1150;

/** Numbers from 0 to 1, always the same. */
function createRandom() {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = createRandom();
/** As behind a ReLU: about half are 0, without a pattern that a processor could learn. */
const values = Float32Array.from({ length: elements }, () => Math.max(0, (random() - 0.5) * 6));
const symbols = new Uint8Array(elements);
const packed = new Uint8Array(elements);
const decoded = new Float32Array(elements);
const table = Uint8Array.from({ length: levels }, (_, symbol) => (symbol * 255) / (levels - 1));

const tableOf = (channels, stride) => ({
  levels,
  axis: { channels, stride },
  low: new Float32Array(channels),
  step: new Float32Array(channels).fill(3 / (levels - 1)),
  nanSymbol: new Uint16Array(channels),
});
const shared = tableOf(1, elements);

const kernels = { simd: tensorKernels(), plain: plainKernels };
const simdCombiner = createSimdCombiner();
const codes = {
  simd: createReedSolomon(() => simdCombiner),
  plain: createReedSolomon(() => plainCombiner),
};
/** What this machine has, so that a table of `simd` cannot show something else. */
export const kinds = { tensor: kernels.simd.kind, reedSolomon: simdCombiner?.kind ?? "plain" };

const millisecondsRow = (title, work, bounds) => ({
  title,
  unit: "ms",
  run: (kind) => () => work(kernels[kind]),
  figure: (ms) => ms,
  ...bounds,
});

function tiledRows(layout, channels, height, width, bounds) {
  const tiling = { layout, channels, height, width, columns: Math.ceil(Math.sqrt(channels)) };
  const size = planeSize(tiling);
  const plane = new Uint8Array(size.height * size.width);
  const perChannel = tableOf(channels, layout === "chw" ? height * width : 1);
  const name = `${layout} ${channels} x ${height} x ${width}`;
  return [
    millisecondsRow(
      `quantize and tile, ${name}`,
      (kernel) => {
        kernel.quantize(perChannel, values, 0, symbols);
        kernel.tile(symbols, tiling, plane);
      },
      bounds,
    ),
    millisecondsRow(`untile and dequantize, ${name}`, (kernel) => {
      kernel.untile(plane, tiling, symbols);
      kernel.dequantize(perChannel, symbols, 0, decoded);
    }),
  ];
}

const tensorRows = [
  ...tiledRows("chw", 128, 56, 56, { must: 1.0, aim: 0.45 }),
  ...tiledRows("chw", 512, 28, 28),
  ...tiledRows("chw", 2048, 14, 14),
  ...tiledRows("hwc", 128, 56, 56),
  millisecondsRow("quantize", (kernel) => kernel.quantize(shared, values, 0, symbols)),
  millisecondsRow("dequantize", (kernel) => kernel.dequantize(shared, symbols, 0, decoded)),
  millisecondsRow("look up bytes in a table", (kernel) => kernel.lookUp(table, symbols, packed)),
  millisecondsRow("pack 3 bits", (kernel) => kernel.packBits(symbols, 3, packed, 0)),
  millisecondsRow("unpack 3 bits", (kernel) => kernel.unpackBits(packed, 0, 3, symbols)),
  millisecondsRow("sums of blocks", (kernel) => {
    for (let i = 0; i < elements; i += 32768) kernel.sums(values.subarray(i, i + 32768));
  }),
];

/** The stage entropy: 128 x 28 x 28 symbols, each near the one before it. */
function contextRows(symbolLevels) {
  const grid = { levels: symbolLevels, rows: 28, columns: 28 };
  let value = 0;
  const smooth = Uint8Array.from({ length: 100_352 }, () => {
    value = 0.85 * value + random() - 0.5;
    return Math.min(symbolLevels - 1, Math.max(0, Math.round((value * symbolLevels) / 2)));
  });
  const coders = { simd: createSimdSymbolCoder(grid), plain: createPlainSymbolCoder(grid) };
  const payload = coders.plain.encode(smooth, 0, Number.POSITIVE_INFINITY).slice();
  const target = new Uint8Array(smooth.length);
  const size = `100,352 symbols of ${symbolLevels} levels by contexts`;
  const measure = (title, work) => ({
    title: `${title} ${size}`,
    unit: "ms",
    run: (kind) => () => work(coders[kind]),
    figure: (ms) => ms,
  });
  return [
    measure("write", (coder) => coder.encode(smooth, 0, Number.POSITIVE_INFINITY)),
    measure("read", (coder) => coder.decode(payload, target, 0)),
  ];
}

/** @param lost sources, and repair symbols that make up for them */
function reedSolomonRows(count, lost) {
  const sources = Array.from({ length: count }, () =>
    Uint8Array.from({ length: symbolBytes }, () => random() * 256),
  );
  const rows = Array.from({ length: lost }, (_, row) => row);
  const parity = codes.plain.encode(sources, rows, symbolBytes).map((symbol, row) => ({ row, symbol }));
  const apart = Math.floor(count / lost);
  const received = sources.map((source, i) => (i % apart === 0 && i / apart < lost ? undefined : source));
  const name = `${count} symbols, ${lost} repair`;
  const row = (title, work) => ({
    title: `Reed-Solomon ${title}, ${name}`,
    unit: "MB/s",
    run: (kind) => () => work(codes[kind]),
    figure: (ms) => (count * symbolBytes) / 1000 / ms,
    must: 200,
    aim: 1000,
  });
  return [
    row("encode", (code) => code.encode(sources, rows, symbolBytes)),
    row("decode", (code) => code.recover(received, parity, symbolBytes)),
  ];
}

/** 128 x 28 x 28 elements of blocks of 4 x 4 positions, all channels together; two matrices over the channels. */
function transformRows() {
  const [channels, side, blocks] = [128, 4, 49];
  const bands = side * side;
  const numbers = (count) => Float32Array.from({ length: count }, () => random() - 0.5);
  const matrices = numbers(2 * channels * channels);
  const parameters = {
    ...{ channels, blockHeight: side, blockWidth: side },
    ...{ vertical: numbers(bands), horizontal: numbers(bands) },
    mixing: {
      matrixOfBand: Array.from({ length: bands }, (_, band) => (band < 4 ? 0 : 1)),
      ...{ analysis: matrices, synthesis: matrices },
    },
  };
  const transforms = { simd: createSimdTransform(parameters), plain: createPlainTransform(parameters) };
  const samples = numbers(bands * channels);
  const coefficients = samples.map((value) => (random() < 0.1 ? value : 0));
  const row = (title, work) => ({
    title,
    unit: "ms",
    run: (kind) => () => {
      for (let block = 0; block < blocks; block++) work(transforms[kind]);
    },
    figure: (ms) => ms,
  });
  return [
    row("transform, 100,352 elements, 128 channels", (transform) => {
      transform.samples.set(samples);
      transform.analyse();
    }),
    row("transform back, one coefficient in ten", (transform) => {
      transform.coefficients.set(coefficients);
      transform.synthesize();
    }),
  ];
}

/** 100,352 coefficients, one in five not 0, as 392 units. */
function entropyRows() {
  const [units, length, ofRow] = [392, 256, 20];
  const spans = Uint32Array.from({ length: 2 * units }, (_, i) => (i % 2) * length);
  const rows = new Int32Array(length).fill(ofRow);
  const mean = 2 ** ((ofRow - 32) / 8);
  const magnitude = () => Math.floor(-Math.log(1 - random()) * mean + 0.43);
  const coefficients = Int32Array.from({ length: units * length }, () =>
    random() < 0.5 ? magnitude() : -magnitude(),
  );
  const coders = { simd: createSimdEntropy(), plain: plainEntropy };
  const list = createIntervalList(units);
  const target = new Int32Array(coefficients.length);
  plainEntropy.list(coefficients, spans, rows, list);
  const payload = plainEntropy.encode(list, 0, units, 0);
  const size = `100,352 coefficients in ${payload.length.toLocaleString("en-US")} B`;
  const measure = (title, work) => ({
    title: `${title} ${size}`,
    unit: "ms",
    run: (kind) => () => work(coders[kind]),
    figure: (ms) => ms,
  });
  return [
    measure("write", (coder) => {
      coder.list(coefficients, spans, rows, list);
      coder.encode(list, 0, units, 0);
    }),
    measure("read", (coder) => coder.decode(payload, 0, spans, rows, target)),
  ];
}

/** What is measured: `run(kind)()` once takes milliseconds, of which `figure` makes the number to report. */
export const measures = [
  ...tensorRows,
  ...transformRows(),
  ...entropyRows(),
  ...contextRows(8),
  ...contextRows(256),
  ...[
    [8, 1],
    [8, 2],
    [8, 4],
    [16, 3],
    [32, 5],
    [64, 10],
    [64, 16],
  ].flatMap(([count, lost]) => reedSolomonRows(count, lost)),
];
