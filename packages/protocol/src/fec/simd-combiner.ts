import { instantiate, reserve, type WasmMemory } from "@sluice/tensor";
import { kernelModule } from "../gen/kernel-module.js";
import { maxFecRows, maxFecSources } from "../limits.js";
import { multiply } from "./galois-field.js";
import type { SymbolCombiner } from "./symbol-combiner.js";

/** What assembly/index.ts exports. */
interface CombinerExports {
  readonly memory: WasmMemory;
  readonly combine: (
    tables: number,
    factors: number,
    inputs: number,
    count: number,
    outputs: number,
    outputCount: number,
    pitch: number,
    bytes: number,
  ) => void;
}

/** Longer strings go through the memory in parts. */
const partBytes = 2048;
const tablesAt = 0;
const tableBytes = 32;
const factorsAt = tablesAt + 256 * tableBytes;
const stringsAt = factorsAt + maxFecSources * maxFecRows;
const memoryBytes = stringsAt + (maxFecSources + maxFecRows) * partBytes;

/** Products of each factor with the values of the low and of the high half of a byte. */
function writeTables(memory: Uint8Array): void {
  for (let factor = 0; factor < 256; factor++) {
    const table = tablesAt + factor * tableBytes;
    for (let nibble = 0; nibble < 16; nibble++) {
      memory[table + nibble] = multiply(factor, nibble);
      memory[table + 16 + nibble] = multiply(factor, nibble << 4);
    }
  }
}

/** Bytes `first` to `end` of a string that counts as padded with 0, at `offset` of the memory. */
function copyIn(memory: Uint8Array, offset: number, string: Uint8Array, first: number, end: number): void {
  const held = Math.max(0, Math.min(string.length, end) - first);
  if (held > 0) memory.set(held === string.length ? string : string.subarray(first, first + held), offset);
  // The kernel goes on to the next multiple of 16; what it computes there is not read.
  if (held < end - first) memory.fill(0, offset + held, offset + end - first);
}

/** In WebAssembly; its memory is 0.6 MB once and for all. `undefined` where this machine cannot run it. */
export function createSimdCombiner(): SymbolCombiner | undefined {
  const exports = instantiate<CombinerExports>(kernelModule);
  if (exports === undefined) return undefined;
  reserve(exports.memory, memoryBytes);
  const memory = new Uint8Array(exports.memory.buffer);
  writeTables(memory);

  return {
    kind: "simd",
    combine(factors, inputs, outputs) {
      const length = outputs[0]?.length ?? 0;
      memory.set(factors, factorsAt);
      for (let first = 0; first < length; first += partBytes) {
        const end = Math.min(first + partBytes, length);
        const pitch = (end - first + 15) & ~15;
        const outputsAt = stringsAt + inputs.length * pitch;
        let at = stringsAt;
        for (const list of [inputs, outputs]) {
          for (const string of list) {
            copyIn(memory, at, string, first, end);
            at += pitch;
          }
        }
        exports.combine(
          tablesAt,
          factorsAt,
          stringsAt,
          inputs.length,
          outputsAt,
          outputs.length,
          pitch,
          pitch,
        );
        for (const [o, output] of outputs.entries()) {
          const from = outputsAt + o * pitch;
          output.set(memory.subarray(from, from + end - first), first);
        }
      }
    },
  };
}
