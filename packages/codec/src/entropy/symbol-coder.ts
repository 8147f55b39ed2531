import { createPlainSymbolCoder } from "./plain-symbols.js";
import { createSimdSymbolCoder } from "./simd-symbols.js";
import type { SymbolCoder, SymbolGrid } from "./symbol-grid.js";

/** The fastest coder that this machine can run. */
export function createSymbolCoder(grid: SymbolGrid): SymbolCoder {
  return createSimdSymbolCoder(grid) ?? createPlainSymbolCoder(grid);
}
