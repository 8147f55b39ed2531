// Products of matrices in float32, four columns at once. Each sum is taken in the order of its index, every product and
// every sum rounded to float32, as in the plain twin. Rows are `pitch` bytes long, a multiple of 32; the memory is laid
// out by src/sluice/simd-transform.ts.

/** Row i of `target` is the sum over j of matrix[i * size + j] times row j of `source`. */
export function combineRows(source: usize, target: usize, matrix: usize, size: i32, pitch: usize): void {
  for (let i = 0; i < size; i++) {
    for (let at: usize = 0; at < pitch; at += 16) {
      let from = source + at;
      let sum = f32x4.mul(v128.load32_splat(matrix), v128.load(from));
      for (let j = 1; j < size; j++) {
        from += pitch;
        const factor = v128.load32_splat(matrix + ((<usize>j) << 2));
        sum = f32x4.add(sum, f32x4.mul(factor, v128.load(from)));
      }
      v128.store(target + at, sum);
    }
    matrix += (<usize>size) << 2;
    target += pitch;
  }
}

/** Eight columns of four rows of a product; `strip` has those columns of the matrix, row after row. */
function product4x8(source: usize, target: usize, strip: usize, count: i32, pitch: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  let row1 = source + pitch;
  let row2 = row1 + pitch;
  let row3 = row2 + pitch;
  for (let i = 0; i < count; i++) {
    const m0 = v128.load(strip);
    const m1 = v128.load(strip, 16);
    const a = v128.load32_splat(source);
    a0 = f32x4.add(a0, f32x4.mul(a, m0));
    a1 = f32x4.add(a1, f32x4.mul(a, m1));
    const b = v128.load32_splat(row1);
    b0 = f32x4.add(b0, f32x4.mul(b, m0));
    b1 = f32x4.add(b1, f32x4.mul(b, m1));
    const c = v128.load32_splat(row2);
    c0 = f32x4.add(c0, f32x4.mul(c, m0));
    c1 = f32x4.add(c1, f32x4.mul(c, m1));
    const d = v128.load32_splat(row3);
    d0 = f32x4.add(d0, f32x4.mul(d, m0));
    d1 = f32x4.add(d1, f32x4.mul(d, m1));
    strip += 32;
    source += 4;
    row1 += 4;
    row2 += 4;
    row3 += 4;
  }
  v128.store(target, a0);
  v128.store(target, a1, 16);
  target += pitch;
  v128.store(target, b0);
  v128.store(target, b1, 16);
  target += pitch;
  v128.store(target, c0);
  v128.store(target, c1, 16);
  target += pitch;
  v128.store(target, d0);
  v128.store(target, d1, 16);
}

/** The same of one row. */
function product1x8(source: usize, target: usize, strip: usize, count: i32): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  for (let i = 0; i < count; i++) {
    const a = v128.load32_splat(source);
    a0 = f32x4.add(a0, f32x4.mul(a, v128.load(strip)));
    a1 = f32x4.add(a1, f32x4.mul(a, v128.load(strip, 16)));
    strip += 32;
    source += 4;
  }
  v128.store(target, a0);
  v128.store(target, a1, 16);
}

/**
 * `rows` rows of `target`: those of `source`, of `count` elements, times a matrix of `count` rows, which lies in strips of
 * eight columns: rows of it, a power of two apart, would crowd into a few sets of the cache.
 */
export function multiply(
  source: usize,
  target: usize,
  rows: i32,
  strips: usize,
  count: i32,
  pitch: usize,
): void {
  const stripBytes = (<usize>count) << 5;
  for (; rows >= 4; rows -= 4) {
    let strip = strips;
    for (let at: usize = 0; at < pitch; at += 32, strip += stripBytes) {
      product4x8(source, target + at, strip, count, pitch);
    }
    source += 4 * pitch;
    target += 4 * pitch;
  }
  for (; rows > 0; rows--) {
    let strip = strips;
    for (let at: usize = 0; at < pitch; at += 32, strip += stripBytes) {
      product1x8(source, target + at, strip, count);
    }
    source += pitch;
    target += pitch;
  }
}

/**
 * One row of `target`: the sum over those elements of `source` that are not 0 of the element times its row of `matrix`.
 * @param list room for 8 bytes for each element
 */
export function multiplySparse(
  source: usize,
  target: usize,
  matrix: usize,
  count: i32,
  pitch: usize,
  list: usize,
): void {
  let end = list;
  for (let i = 0; i < count; i++, matrix += pitch) {
    const value = load<f32>(source + ((<usize>i) << 2));
    if (value === 0) continue;
    store<f32>(end, value);
    store<u32>(end, <u32>matrix, 4);
    end += 8;
  }
  for (let at: usize = 0; at < pitch; at += 32) {
    let a0 = f32x4.splat(0);
    let a1 = a0;
    for (let entry = list; entry < end; entry += 8) {
      const value = v128.load32_splat(entry);
      const row = <usize>load<u32>(entry, 4) + at;
      a0 = f32x4.add(a0, f32x4.mul(value, v128.load(row)));
      a1 = f32x4.add(a1, f32x4.mul(value, v128.load(row, 16)));
    }
    v128.store(target + at, a0);
    v128.store(target + at, a1, 16);
  }
}
