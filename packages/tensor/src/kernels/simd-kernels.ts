import { checkBits } from "./bit-packing.js";
import { checkUnpackedValues } from "./check-unpacked-values.js";
import { checkTable } from "./level-table.js";
import { checkLookUp, maxTableEntries } from "./look-up.js";
import { plainKernels } from "./plain-kernels.js";
import { clearUnused } from "./plain-tile.js";
import { arrangementOf, dequantizeBlock, lookUpBlock, quantizeBlock, writeTable } from "./simd-levels.js";
import {
  bytesAt,
  createSimdMemory,
  head,
  part,
  type SimdMemory,
  symbolsAt,
  valuesAt,
} from "./simd-memory.js";
import { hasBlocks, tileBlock, tileBlocks, untileBlock } from "./simd-tile.js";
import { blockElements, type TensorKernels } from "./tensor-kernels.js";
import { checkTiling } from "./tiling.js";

/** Fewer elements are done sooner where they are than by way of another memory. */
const fewestElements = 64;
/** Symbols of more bits do not go through bytes. */
const maxSimdBits = 8;

/**
 * The kernels on one instance of the module. Its memory holds a block of 32,768 elements and, for tiles, the largest
 * plane so far; arrays are copied in and out block by block, so that they stay in the cache. What does not fit (more
 * than 4,096 channels, rows of more than a block) goes to the plain kernels.
 */
function createKernels(memory: SimdMemory): TensorKernels {
  const { exports } = memory;
  return {
    kind: "simd",

    quantize(table, values, first, symbols) {
      checkTable(table, symbols, values.length, first);
      const arrangement = arrangementOf(table);
      if (arrangement === undefined || values.length < fewestElements) {
        plainKernels.quantize(table, values, first, symbols);
        return;
      }
      writeTable(memory, table, arrangement, true);
      const symbolBytes = symbols instanceof Uint8Array ? 1 : 2;
      const results = symbolBytes === 1 ? memory.symbols8 : memory.symbols16;
      for (let i = 0; i < values.length; i += blockElements) {
        const count = Math.min(blockElements, values.length - i);
        memory.values.set(part(values, i, count));
        quantizeBlock(memory, table, arrangement, first + i, count, symbolBytes);
        symbols.set(head(results, count), i);
      }
    },

    dequantize(table, symbols, first, values) {
      checkTable(table, symbols, values.length, first);
      const arrangement = arrangementOf(table);
      if (arrangement === undefined || values.length < fewestElements) {
        plainKernels.dequantize(table, symbols, first, values);
        return;
      }
      let isTableWritten = false;
      const symbolBytes = symbols instanceof Uint8Array ? 1 : 2;
      const sources = symbolBytes === 1 ? memory.symbols8 : memory.symbols16;
      for (let i = 0; i < values.length; i += blockElements) {
        const count = Math.min(blockElements, values.length - i);
        sources.set(part(symbols, i, count));
        if (symbolBytes === 2 || !lookUpBlock(memory, table, count)) {
          if (!isTableWritten) writeTable(memory, table, arrangement, false);
          isTableWritten = true;
          dequantizeBlock(memory, table, arrangement, first + i, count, symbolBytes);
        }
        values.set(memory.valuesOf(count), i);
      }
    },

    tile(symbols, tiling, plane) {
      checkTiling(tiling, plane, symbols, "symbols");
      if (!hasBlocks(tiling)) {
        plainKernels.tile(symbols, tiling, plane);
        return;
      }
      const result = memory.planeOf(plane.length);
      for (const block of tileBlocks(tiling)) {
        memory.symbols8.set(symbols.subarray(block.first, block.first + block.count));
        tileBlock(memory, tiling, block);
      }
      plane.set(result);
      clearUnused(tiling, plane);
    },

    untile(plane, tiling, symbols) {
      checkTiling(tiling, plane, symbols, "symbols");
      if (!hasBlocks(tiling)) {
        plainKernels.untile(plane, tiling, symbols);
        return;
      }
      memory.planeOf(plane.length).set(plane);
      for (const block of tileBlocks(tiling)) {
        untileBlock(memory, tiling, block);
        symbols.set(head(memory.symbols8, block.count), block.first);
      }
    },

    lookUp(table, symbols, target) {
      checkLookUp(table, symbols, target);
      if (symbols.length < fewestElements) {
        plainKernels.lookUp(table, symbols, target);
        return;
      }
      const entries = memory.bytes.subarray(0, maxTableEntries);
      entries.fill(0);
      entries.set(table);
      for (let i = 0; i < symbols.length; i += blockElements) {
        const count = Math.min(blockElements, symbols.length - i);
        memory.symbols8.set(part(symbols, i, count));
        exports.lookUp(bytesAt, table.length, symbolsAt, symbolsAt, count);
        target.set(head(memory.symbols8, count), i);
      }
    },

    packBits(symbols, bits, target, offset) {
      checkBits(symbols, bits, target, offset, "target");
      if (bits > maxSimdBits || symbols.length < fewestElements) {
        plainKernels.packBits(symbols, bits, target, offset);
        return;
      }
      let at = offset;
      for (let i = 0; i < symbols.length; i += blockElements) {
        const count = Math.min(blockElements, symbols.length - i);
        memory.symbols8.set(part(symbols, i, count));
        memory.symbols8.fill(0, count, count + 16);
        exports.packBits(symbolsAt, bytesAt, count, bits);
        const bytes = Math.ceil((count * bits) / 8);
        target.set(head(memory.bytes, bytes), at);
        at += bytes;
      }
    },

    unpackBits(source, offset, bits, symbols) {
      checkBits(symbols, bits, source, offset, "source");
      if (bits > maxSimdBits || symbols.length < fewestElements) {
        plainKernels.unpackBits(source, offset, bits, symbols);
        return;
      }
      let at = offset;
      for (let i = 0; i < symbols.length; i += blockElements) {
        const count = Math.min(blockElements, symbols.length - i);
        const bytes = Math.ceil((count * bits) / 8);
        memory.bytes.set(part(source, at, bytes));
        exports.unpackBits(bytesAt, symbolsAt, count, bits);
        symbols.set(memory.symbolsOf(count), i);
        at += bytes;
      }
    },

    unpackValues(table, source, offset, bits, values, first, end) {
      checkUnpackedValues(table, source, offset, bits, values, first, end);
      const count = end - first;
      const arrangement = arrangementOf(table);
      if (arrangement === undefined || count < fewestElements || count > blockElements) {
        plainKernels.unpackValues(table, source, offset, bits, values, first, end);
        return;
      }
      // All of a slice's payload is copied, what stands before the symbols as well: a view of the rest costs more.
      const isSmall = source.length <= memory.bytes.length;
      memory.bytes.set(isSmall ? source : part(source, offset, Math.ceil((count * bits) / 8)));
      exports.unpackBits(isSmall ? bytesAt + offset : bytesAt, symbolsAt, count, bits);
      if (!lookUpBlock(memory, table, count)) {
        writeTable(memory, table, arrangement, false);
        dequantizeBlock(memory, table, arrangement, first, count, 1);
      }
      values.set(memory.valuesOf(count), first);
    },

    sums(values) {
      const count = values.length;
      if (count < fewestElements || count > blockElements) return plainKernels.sums(values);
      memory.values.set(values);
      const sum = exports.sum(valuesAt, count);
      const squares = exports.squares(valuesAt, count, sum / count);
      // Of two zeros the sign must not show.
      return {
        sum,
        squares,
        minimum: exports.minimum(valuesAt, count) + 0,
        maximum: exports.maximum(valuesAt, count) + 0,
      };
    },
  };
}

let kernels: TensorKernels | undefined;

/**
 * The fastest kernels that this machine can run, made when first asked for and shared by all users in this thread:
 * WebAssembly with SIMD, or else plain JavaScript (webassembly.ts says where that is).
 */
export function tensorKernels(): TensorKernels {
  if (kernels === undefined) {
    const memory = createSimdMemory();
    kernels = memory === undefined ? plainKernels : createKernels(memory);
  }
  return kernels;
}
