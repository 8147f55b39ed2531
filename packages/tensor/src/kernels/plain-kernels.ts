import { checkBits, packBits, unpackBits } from "./bit-packing.js";
import { checkUnpackedValues } from "./check-unpacked-values.js";
import { checkTable } from "./level-table.js";
import { checkLookUp, lookUp } from "./look-up.js";
import { dequantize, quantize } from "./plain-quantize.js";
import { sums } from "./plain-sums.js";
import { tile, untile } from "./plain-tile.js";
import type { TensorKernels } from "./tensor-kernels.js";
import { checkTiling } from "./tiling.js";

/** The kernels in JavaScript: where there is no WebAssembly, and to test the others against. */
export const plainKernels: TensorKernels = {
  kind: "plain",
  quantize(table, values, first, symbols) {
    checkTable(table, symbols, values.length, first);
    quantize(table, values, first, symbols);
  },
  dequantize(table, symbols, first, values) {
    checkTable(table, symbols, values.length, first);
    dequantize(table, symbols, first, values);
  },
  tile(symbols, tiling, plane) {
    checkTiling(tiling, plane, symbols, "symbols");
    tile(symbols, tiling, plane);
  },
  untile(plane, tiling, symbols) {
    checkTiling(tiling, plane, symbols, "symbols");
    untile(plane, tiling, symbols);
  },
  lookUp(table, symbols, target) {
    checkLookUp(table, symbols, target);
    lookUp(table, symbols, target);
  },
  packBits(symbols, bits, target, offset) {
    checkBits(symbols, bits, target, offset, "target");
    packBits(symbols, bits, target, offset);
  },
  unpackBits(source, offset, bits, symbols) {
    checkBits(symbols, bits, source, offset, "source");
    unpackBits(source, offset, bits, symbols);
  },
  unpackValues(table, source, offset, bits, values, first, end) {
    checkUnpackedValues(table, source, offset, bits, values, first, end);
    const symbols = new Uint8Array(end - first);
    unpackBits(source, offset, bits, symbols);
    dequantize(table, symbols, first, values.subarray(first, end));
  },
  sums,
};
