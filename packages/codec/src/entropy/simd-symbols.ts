import { instantiate, reserve, type WasmMemory } from "@sluice/tensor";
import { kernelModule } from "../gen/kernel-module.js";
import { weights } from "./adaptive-bits.js";
import type { SymbolCoder, SymbolGrid } from "./symbol-grid.js";

/** What assembly/index.ts exports of context-coder.ts. */
interface CoderExports {
  readonly memory: WasmMemory;
  readonly encodeSymbols: (
    symbols: number,
    count: number,
    row: number,
    column: number,
    rows: number,
    columns: number,
    levels: number,
    target: number,
    room: number,
  ) => number;
  readonly decodeSymbols: (
    payload: number,
    payloadBytes: number,
    symbols: number,
    count: number,
    row: number,
    column: number,
    rows: number,
    columns: number,
    levels: number,
  ) => number;
}

/** Where assembly/context-coder.ts has its weights, and what is behind them. */
const weightsAt = 2048;
const symbolsAt = 4096;

/** One symbol writes at most so many bytes beyond the room before the coder stops. */
const slackBytes = 64;

function createCoder(): CoderExports | undefined {
  const exports = instantiate<CoderExports>(kernelModule);
  if (exports === undefined) return undefined;
  reserve(exports.memory, symbolsAt);
  new Uint32Array(exports.memory.buffer, weightsAt, weights.length).set(weights);
  return exports;
}

let coder: CoderExports | undefined;

/**
 * In WebAssembly, in one instance for all streams of a thread, whose memory grows to the longest slice's. `undefined`
 * where this machine cannot run it.
 */
export function createSimdSymbolCoder({ levels, rows, columns }: SymbolGrid): SymbolCoder | undefined {
  coder ??= createCoder();
  if (coder === undefined) return undefined;
  const { memory, encodeSymbols, decodeSymbols } = coder;
  const bytes = (at: number, count: number) => new Uint8Array(memory.buffer, at, count);

  return {
    kind: "simd",
    encode(symbols, first, room) {
      const count = symbols.length;
      const column = first % columns;
      const row = Math.floor(first / columns) % rows;
      const targetAt = symbolsAt + count;
      // Rarely does a symbol take more than a byte: only then is there a second try.
      for (let most = Math.min(room, count + slackBytes); ; most = Math.min(room, 2 * most)) {
        reserve(memory, targetAt + Math.max(0, most) + slackBytes);
        bytes(symbolsAt, count).set(symbols);
        const length = encodeSymbols(symbolsAt, count, row, column, rows, columns, levels, targetAt, most);
        if (length >= 0) return bytes(targetAt, length);
        if (most >= room) return { fits: (-1 - length) / count };
      }
    },
    decode(payload, symbols, first) {
      const count = symbols.length;
      const column = first % columns;
      const row = Math.floor(first / columns) % rows;
      const payloadAt = symbolsAt + count;
      reserve(memory, payloadAt + payload.length);
      bytes(payloadAt, payload.length).set(payload);
      const { length } = payload;
      if (decodeSymbols(payloadAt, length, symbolsAt, count, row, column, rows, columns, levels) === 0)
        return false;
      symbols.set(bytes(symbolsAt, count));
      return true;
    },
  };
}
