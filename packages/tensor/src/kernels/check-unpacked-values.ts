import { TensorError } from "../tensor.js";
import { checkPacked } from "./bit-packing.js";
import { checkTable, type LevelTable } from "./level-table.js";

const maxByteBits = 8;
const noSymbols = new Uint8Array(0);

/**
 * Checks what `unpackValues` is given.
 * @throws TensorError naming `bits`, `offset`, `source`, the table's field, `first` or `end`
 */
export function checkUnpackedValues(
  table: LevelTable,
  source: Uint8Array,
  offset: number,
  bits: number,
  values: Float32Array,
  first: number,
  end: number,
): void {
  checkTable(table, noSymbols, 0, first);
  if (!Number.isInteger(end) || end < first || end > values.length)
    throw new TensorError("end", `must be an integer from ${first} to ${values.length}, got ${end}`);
  if (bits > maxByteBits) throw new TensorError("bits", `must be at most ${maxByteBits}, got ${bits}`);
  checkPacked(end - first, bits, source, offset, "source");
}
