// Symbols below 2^bits, a byte each, to bits bits each and back, least significant first (spec 6.2). Halves are joined
// three times: bytes to 2 symbols in 16 bits, 4 in 32, 8 in 64. Eight symbols so take `bits` whole bytes.

/**
 * Packs symbols, 16 in a step: `source` must have zeros up to a multiple of 16, `target` room for 16 bytes more than
 * the result.
 * @param bits 1 to 8
 */
export function packBits(source: usize, target: usize, count: i32, bits: i32): void {
  const low8 = i16x8.splat(0xff);
  const low16 = i32x4.splat(0xffff);
  const low32 = i64x2.splat(0xffffffff);
  for (const end = source + <usize>count; source < end; source += 16) {
    let v = v128.load(source);
    v = v128.or(v128.and(v, low8), i16x8.shl(i16x8.shr_u(v, 8), bits));
    v = v128.or(v128.and(v, low16), i32x4.shl(i32x4.shr_u(v, 16), bits << 1));
    v = v128.or(v128.and(v, low32), i64x2.shl(i64x2.shr_u(v, 32), bits << 2));
    v128.store64_lane(target, v, 0);
    v128.store64_lane(target + bits, v, 1);
    target += bits << 1;
  }
}

/**
 * Reads symbols, 16 in a step: `source` must be readable for 16 bytes more than it has, `target` have room for a
 * multiple of 16.
 * @param bits 1 to 8
 */
export function unpackBits(source: usize, target: usize, count: i32, bits: i32): void {
  const half = i64x2.splat(((<i64>1) << (bits << 2)) - 1);
  const quarter = i32x4.splat((1 << (bits << 1)) - 1);
  const eighth = i16x8.splat(<i16>((<i32>1) << bits) - 1);
  for (const end = target + <usize>count; target < end; target += 16) {
    let v = v128.load64_lane(source + bits, v128.load64_zero(source), 1);
    v = v128.or(v128.and(v, half), i64x2.shl(v128.and(i64x2.shr_u(v, bits << 2), half), 32));
    v = v128.or(v128.and(v, quarter), i32x4.shl(v128.and(i32x4.shr_u(v, bits << 1), quarter), 16));
    v = v128.or(v128.and(v, eighth), i16x8.shl(v128.and(i16x8.shr_u(v, bits), eighth), 8));
    v128.store(target, v);
    source += bits << 1;
  }
}
