// Linear combinations of byte strings over GF(2^8). A product with a constant is two look-ups in tables of 16, for the
// low and the high half of a byte, which a swizzle does for 16 bytes at once (Plank, Greenan and Miller, "Screaming
// fast Galois field arithmetic using Intel SIMD instructions", 2013).
//
// The memory is laid out by src/fec/simd-combiner.ts. `tables` has 32 bytes for each constant: its products with 0..15
// and with 0, 16 .. 240. Strings are `bytes` long, a multiple of 16, and `pitch` bytes apart.

/** One output: adds factors[i] times input i to it. */
function combine1(
  tables: usize,
  factors: usize,
  inputs: usize,
  count: i32,
  output: usize,
  pitch: usize,
  bytes: usize,
): void {
  const nibble = i8x16.splat(15);
  for (let i = 0; i < count; i++, inputs += pitch) {
    const table = tables + ((<usize>load<u8>(factors + i)) << 5);
    const low = v128.load(table);
    const high = v128.load(table, 16);
    for (let at: usize = 0; at < bytes; at += 16) {
      const v = v128.load(inputs + at);
      const product = v128.xor(
        i8x16.swizzle(low, v128.and(v, nibble)),
        i8x16.swizzle(high, i8x16.shr_u(v, 4)),
      );
      v128.store(output + at, v128.xor(v128.load(output + at), product));
    }
  }
}

/** Four outputs at once: what is read of an input is halved once for all of them. `next` is from factors to factors. */
function combine4(
  tables: usize,
  factors: usize,
  next: usize,
  inputs: usize,
  count: i32,
  output: usize,
  pitch: usize,
  bytes: usize,
): void {
  const nibble = i8x16.splat(15);
  const output1 = output + pitch;
  const output2 = output1 + pitch;
  const output3 = output2 + pitch;
  for (let i = 0; i < count; i++, factors++, inputs += pitch) {
    const table0 = tables + ((<usize>load<u8>(factors)) << 5);
    const table1 = tables + ((<usize>load<u8>(factors + next)) << 5);
    const table2 = tables + ((<usize>load<u8>(factors + 2 * next)) << 5);
    const table3 = tables + ((<usize>load<u8>(factors + 3 * next)) << 5);
    const low0 = v128.load(table0);
    const low1 = v128.load(table1);
    const low2 = v128.load(table2);
    const low3 = v128.load(table3);
    const high0 = v128.load(table0, 16);
    const high1 = v128.load(table1, 16);
    const high2 = v128.load(table2, 16);
    const high3 = v128.load(table3, 16);
    for (let at: usize = 0; at < bytes; at += 16) {
      const v = v128.load(inputs + at);
      const low = v128.and(v, nibble);
      const high = i8x16.shr_u(v, 4);
      const p0 = v128.xor(i8x16.swizzle(low0, low), i8x16.swizzle(high0, high));
      v128.store(output + at, v128.xor(v128.load(output + at), p0));
      const p1 = v128.xor(i8x16.swizzle(low1, low), i8x16.swizzle(high1, high));
      v128.store(output1 + at, v128.xor(v128.load(output1 + at), p1));
      const p2 = v128.xor(i8x16.swizzle(low2, low), i8x16.swizzle(high2, high));
      v128.store(output2 + at, v128.xor(v128.load(output2 + at), p2));
      const p3 = v128.xor(i8x16.swizzle(low3, low), i8x16.swizzle(high3, high));
      v128.store(output3 + at, v128.xor(v128.load(output3 + at), p3));
    }
  }
}

/** One output whose factors are all 1. */
function addAll(inputs: usize, count: i32, output: usize, pitch: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    let sum = v128.load(output + at);
    let from = inputs + at;
    for (let i = 0; i < count; i++, from += pitch) sum = v128.xor(sum, v128.load(from));
    v128.store(output + at, sum);
  }
}

function areAllOne(factors: usize, count: i32): bool {
  for (let i = 0; i < count; i++) if (load<u8>(factors + i) !== 1) return false;
  return true;
}

/** Adds to each output the sum of factors[output * count + i] times input i. */
export function combine(
  tables: usize,
  factors: usize,
  inputs: usize,
  count: i32,
  outputs: usize,
  outputCount: i32,
  pitch: usize,
  bytes: usize,
): void {
  const next = <usize>count;
  while (outputCount > 0) {
    let done = 1;
    if ((outputCount & 3) !== 0 && areAllOne(factors, count)) addAll(inputs, count, outputs, pitch, bytes);
    else if (outputCount >= 4) {
      combine4(tables, factors, next, inputs, count, outputs, pitch, bytes);
      done = 4;
    } else combine1(tables, factors, inputs, count, outputs, pitch, bytes);
    outputs += <usize>done * pitch;
    factors += <usize>done * next;
    outputCount -= done;
  }
}
