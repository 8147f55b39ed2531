import { TensorError } from "../tensor.js";
import type { Symbols } from "./level-table.js";

export const maxTableEntries = 256;

/** @throws TensorError naming `table` or `target` */
export function checkLookUp(table: Uint8Array, symbols: Symbols, target: Symbols): void {
  if (table.length < 1 || table.length > maxTableEntries) {
    throw new TensorError("table", `${table.length} entries, must be 1 to ${maxTableEntries}`);
  }
  if (target.length < symbols.length) {
    throw new TensorError("target", `${target.length}, must be at least ${symbols.length}`);
  }
}

/** See TensorKernels.lookUp. */
export function lookUp(table: Uint8Array, symbols: Symbols, target: Symbols): void {
  for (let i = 0; i < symbols.length; i++) target[i] = table[symbols[i]!] ?? 0;
}
