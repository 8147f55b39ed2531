import { TensorError } from "../tensor.js";
import type { Symbols } from "./level-table.js";

const maxBits = 16;

/**
 * Checks where bits lie.
 * @throws TensorError naming `bits`, `offset`, `symbols` if they are bytes and bits more than 8, or the array `field`
 *   that is too short
 */
export function checkBits(
  symbols: Symbols,
  bits: number,
  bytes: Uint8Array,
  offset: number,
  field: string,
): void {
  if (bits <= maxBits && symbols.BYTES_PER_ELEMENT * 8 < bits)
    throw new TensorError("symbols", `bytes cannot hold ${bits} bits`);
  checkPacked(symbols.length, bits, bytes, offset, field);
}

/** The same for `count` symbols that nobody sees. */
export function checkPacked(
  count: number,
  bits: number,
  bytes: Uint8Array,
  offset: number,
  field: string,
): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > maxBits) {
    throw new TensorError("bits", `must be an integer from 1 to ${maxBits}, got ${bits}`);
  }
  if (!Number.isInteger(offset) || offset < 0) throw new TensorError("offset", `not an index: ${offset}`);
  const needed = Math.ceil((count * bits) / 8);
  if (bytes.length - offset < needed) {
    throw new TensorError(field, `${bytes.length - offset} bytes from the offset, ${needed} are needed`);
  }
}

/** See TensorKernels.packBits. */
export function packBits(symbols: Symbols, bits: number, target: Uint8Array, offset: number): void {
  let at = offset;
  let pending = 0;
  let held = 0;
  for (let i = 0; i < symbols.length; i++) {
    pending |= symbols[i]! << held;
    held += bits;
    while (held >= 8) {
      target[at++] = pending;
      pending >>>= 8;
      held -= 8;
    }
  }
  if (held > 0) target[at] = pending;
}

/** See TensorKernels.unpackBits. */
export function unpackBits(source: Uint8Array, offset: number, bits: number, symbols: Symbols): void {
  const mask = (1 << bits) - 1;
  let at = offset;
  let pending = 0;
  let held = 0;
  for (let i = 0; i < symbols.length; i++) {
    while (held < bits) {
      pending |= source[at++]! << held;
      held += 8;
    }
    symbols[i] = pending & mask;
    pending >>>= bits;
    held -= bits;
  }
}
