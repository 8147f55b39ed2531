const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);
/** Where the word with the exponent lies. */
number[0] = 1;
const high = words[1] === 0 ? 0 : 1;

/**
 * The logarithm of a positive number to base 2, at most 0.09 too low: its exponent, and a line from one power of 2 to the next.
 * `Math.log2` may differ from machine to machine, and with it what an encoder chooses.
 */
export function coarseLog2(value: number): number {
  number[0] = value;
  const exponent = (words[high]! >>> 20) - 1023;
  return exponent + (words[high]! & 0xfffff) / 0x100000;
}
