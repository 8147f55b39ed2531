// Sums over float32 in float64. Element i goes to partial sum i mod 8, and the partial sums are added in one order, so
// that the plain twin rounds alike.

const step = 8;

/** Partial sums 0 to 7, two in each vector, and the elements that did not fill a step, at `rest`. */
function total(a: v128, b: v128, c: v128, d: v128, rest: usize, count: i32, mean: f64, square: bool): f64 {
  for (let i = 0; i < count; i++) {
    const difference = f64(load<f32>(rest + ((<usize>i) << 2))) - mean;
    const term = square ? difference * difference : difference;
    const alone = i & 1 ? f64x2(0, term) : f64x2(term, 0);
    if (i < 2) a = f64x2.add(a, alone);
    else if (i < 4) b = f64x2.add(b, alone);
    else if (i < 6) c = f64x2.add(c, alone);
    else d = f64x2.add(d, alone);
  }
  const ab = f64x2.add(a, b);
  const cd = f64x2.add(c, d);
  const abcd = f64x2.add(ab, cd);
  return f64x2.extract_lane(abcd, 0) + f64x2.extract_lane(abcd, 1);
}

/** Sum of `count` float32. */
export function sum(source: usize, count: i32): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const end = source + ((<usize>(count & -step)) << 2);
  for (; source < end; source += step << 2) {
    a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(source)));
    b = f64x2.add(b, f64x2.promote_low_f32x4(v128.load64_zero(source, 8)));
    c = f64x2.add(c, f64x2.promote_low_f32x4(v128.load64_zero(source, 16)));
    d = f64x2.add(d, f64x2.promote_low_f32x4(v128.load64_zero(source, 24)));
  }
  return total(a, b, c, d, end, count & (step - 1), 0, false);
}

function square2(source: usize, mean: v128): v128 {
  const difference = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(source)), mean);
  return f64x2.mul(difference, difference);
}

/** Sum of the squared differences of `count` float32 from `mean`. */
export function squares(source: usize, count: i32, mean: f64): f64 {
  const means = f64x2.splat(mean);
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const end = source + ((<usize>(count & -step)) << 2);
  for (; source < end; source += step << 2) {
    a = f64x2.add(a, square2(source, means));
    b = f64x2.add(b, square2(source + 8, means));
    c = f64x2.add(c, square2(source + 16, means));
    d = f64x2.add(d, square2(source + 24, means));
  }
  return total(a, b, c, d, end, count & (step - 1), mean, true);
}

/** The smallest of `count` float32, none of them NaN; Infinity of none. Of two zeros, either. */
export function minimum(source: usize, count: i32): f32 {
  let least = f32x4.splat(f32.POSITIVE_INFINITY);
  const end = source + ((<usize>(count & -4)) << 2);
  for (; source < end; source += 16) least = f32x4.pmin(least, v128.load(source));
  for (let i = 0; i < (count & 3); i++) least = f32x4.pmin(least, v128.load32_splat(end + ((<usize>i) << 2)));
  return min(
    min(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 1)),
    min(f32x4.extract_lane(least, 2), f32x4.extract_lane(least, 3)),
  );
}

/** The largest of `count` float32; -Infinity of none. */
export function maximum(source: usize, count: i32): f32 {
  let most = f32x4.splat(f32.NEGATIVE_INFINITY);
  const end = source + ((<usize>(count & -4)) << 2);
  for (; source < end; source += 16) most = f32x4.pmax(most, v128.load(source));
  for (let i = 0; i < (count & 3); i++) most = f32x4.pmax(most, v128.load32_splat(end + ((<usize>i) << 2)));
  return max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
}
