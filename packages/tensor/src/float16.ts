import { TensorError } from "./tensor.js";

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** 2^(e - 25) for each exponent field e: a normal half is (1024 + mantissa) times this. */
const halfScales = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 25));

/** Rounds the bits of a float32 to the nearest IEEE 754 binary16, ties to even. Every NaN gives the quiet one. */
function roundToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65,536 and more, and infinity
  if (magnitude >= 0x38800000) {
    // Normal: half an ulp less one, plus the bit that breaks ties to even; a carry runs into the exponent.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude < 0x33000000) return sign; // under half of the smallest subnormal
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const quotient = mantissa >>> shift;
  const remainder = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const up = remainder > half || (remainder === half && (quotient & 1) === 1);
  return sign | (quotient + (up ? 1 : 0));
}

/** Bit pattern of the binary16 nearest to `Math.fround(value)`, ties to even; 65,520 and more give infinity. */
export function encodeFloat16(value: number): number {
  scratchFloat[0] = value;
  return roundToHalf(scratchBits[0]!);
}

/** Value of a binary16 bit pattern; exact. */
export function decodeFloat16(bits: number): number {
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  let magnitude: number;
  if (exponent === 0) magnitude = mantissa * 2 ** -24;
  else if (exponent === 31) magnitude = mantissa === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  else magnitude = (1024 + mantissa) * halfScales[exponent]!;
  return (bits & 0x8000) === 0 ? magnitude : -magnitude;
}

/**
 * {@link encodeFloat16} of every element, into `target` if it is given.
 * @throws TensorError if `target` is of another length.
 */
export function encodeFloat16Array(
  values: Float32Array,
  target: Uint16Array = new Uint16Array(values.length),
): Uint16Array {
  if (target.length !== values.length) {
    throw new TensorError("target", `${target.length} elements, must be ${values.length}`);
  }
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) target[i] = roundToHalf(bits[i]!);
  return target;
}

/**
 * {@link decodeFloat16} of every element, into `target` if it is given.
 * @throws TensorError if `target` is of another length.
 */
export function decodeFloat16Array(
  bits: Uint16Array,
  target: Float32Array = new Float32Array(bits.length),
): Float32Array {
  if (target.length !== bits.length) {
    throw new TensorError("target", `${target.length} elements, must be ${bits.length}`);
  }
  for (let i = 0; i < bits.length; i++) target[i] = decodeFloat16(bits[i]!);
  return target;
}
