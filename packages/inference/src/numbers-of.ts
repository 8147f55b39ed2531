import { decodeFloat16Array, type OutputTensor } from "@sluice/tensor";

/** An output's values as numbers, in its order: float16 is held as bit patterns, 64-bit integers as bigints. */
export function numbersOf({ dtype, data }: OutputTensor): ArrayLike<number> {
  if (dtype === "float16") return decodeFloat16Array(data as Uint16Array);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Float64Array.from(data as ArrayLike<bigint>, Number);
  }
  return data;
}
