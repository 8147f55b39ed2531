import { resetAdaptiveBits } from "./adaptive-bits.js";
import { lookAround, type Neighbourhood } from "./neighbourhood.js";
import { createRangeDecoder } from "./range-decoder.js";
import { createRangeEncoder } from "./range-encoder.js";
import { createSymbolCoding } from "./symbol-coding.js";
import type { SymbolCoder, SymbolGrid } from "./symbol-grid.js";

/** In JavaScript: where there is no WebAssembly, and to test the other one against. */
export function createPlainSymbolCoder({ levels, rows, columns }: SymbolGrid): SymbolCoder {
  const coding = createSymbolCoding(levels);
  const encoder = createRangeEncoder();
  const decoder = createRangeDecoder();
  const around: Neighbourhood = { mean: 0, activity: 0 };
  return {
    kind: "plain",
    encode(symbols, first, room) {
      resetAdaptiveBits(coding.bits);
      encoder.start();
      let fitting = 0;
      let column = first % columns;
      let row = Math.floor(first / columns) % rows;
      for (let i = 0; i < symbols.length; i++) {
        lookAround(symbols, i, row, column, columns, levels, around);
        if (++column === columns) {
          column = 0;
          if (++row === rows) row = 0;
        }
        coding.encode(encoder, symbols[i]!, around);
        if (encoder.length < room) fitting = i + 1;
        else if (encoder.length > room) return { fits: fitting / symbols.length };
      }
      return encoder.finish();
    },
    decode(payload, symbols, first) {
      resetAdaptiveBits(coding.bits);
      decoder.start(payload);
      let column = first % columns;
      let row = Math.floor(first / columns) % rows;
      for (let i = 0; i < symbols.length; i++) {
        lookAround(symbols, i, row, column, columns, levels, around);
        if (++column === columns) {
          column = 0;
          if (++row === rows) row = 0;
        }
        const symbol = coding.decode(decoder, around);
        if (symbol >= levels) return false;
        symbols[i] = symbol;
      }
      return decoder.isAtEnd;
    },
  };
}
