// The values that symbols stand for (spec 6.2): low + symbol * width, in float64, rounded to float32. Parameters are as
// in quantize.ts.

const step = 8;

/** 4 symbols in 32-bit lanes to 4 float32. */
function values4(symbols: v128, low: v128, width: v128, low2: v128, width2: v128): v128 {
  const a = f64x2.convert_low_i32x4_u(symbols);
  const b = f64x2.convert_low_i32x4_u(i64x2.shuffle(symbols, symbols, 1, 0));
  const first = f32x4.demote_f64x2_zero(f64x2.add(low, f64x2.mul(a, width)));
  const second = f32x4.demote_f64x2_zero(f64x2.add(low2, f64x2.mul(b, width2)));
  return i64x2.shuffle(first, second, 0, 2);
}

/** 8 symbols in 16-bit lanes. */
function load8<T>(source: usize): v128 {
  return sizeof<T>() === 1 ? v128.load8x8_u(source) : v128.load(source);
}

function dequantizeOne<T>(source: usize, target: usize, low: f64, width: f64): void {
  store<f32>(target, f32(low + f64(<u32>load<T>(source)) * width));
}

/** `count` elements of one channel. */
function dequantizeRun<T>(source: usize, target: usize, count: i32, low: f64, width: f64): void {
  const lows = f64x2.splat(low);
  const widths = f64x2.splat(width);
  let i = 0;
  for (; i + step <= count; i += step) {
    const symbols = load8<T>(source + <usize>i * sizeof<T>());
    const to = target + ((<usize>i) << 2);
    v128.store(to, values4(i32x4.extend_low_i16x8_u(symbols), lows, widths, lows, widths));
    v128.store(to, values4(i32x4.extend_high_i16x8_u(symbols), lows, widths, lows, widths), 16);
  }
  for (; i < count; i++) {
    dequantizeOne<T>(source + <usize>i * sizeof<T>(), target + ((<usize>i) << 2), low, width);
  }
}

/** See `quantizeRuns`. */
function dequantizeRuns<T>(
  source: usize,
  target: usize,
  count: i32,
  channel: i32,
  left: i32,
  stride: i32,
  channels: i32,
  lows: usize,
  widths: usize,
): void {
  while (count > 0) {
    const run = min(left, count);
    const at = (<usize>channel) << 3;
    dequantizeRun<T>(source, target, run, load<f64>(lows + at), load<f64>(widths + at));
    source += <usize>run * sizeof<T>();
    target += (<usize>run) << 2;
    count -= run;
    left = stride;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
}

/** See `quantizeInterleaved`. */
function dequantizeInterleaved<T>(
  source: usize,
  target: usize,
  count: i32,
  phase: i32,
  period: i32,
  lows: usize,
  widths: usize,
): void {
  let i = 0;
  for (; i + step <= count; i += step) {
    const symbols = load8<T>(source + <usize>i * sizeof<T>());
    const to = target + ((<usize>i) << 2);
    const low = lows + ((<usize>phase) << 3);
    const width = widths + ((<usize>phase) << 3);
    const first = i32x4.extend_low_i16x8_u(symbols);
    const second = i32x4.extend_high_i16x8_u(symbols);
    v128.store(
      to,
      values4(first, v128.load(low), v128.load(width), v128.load(low, 16), v128.load(width, 16)),
    );
    v128.store(
      to,
      values4(second, v128.load(low, 32), v128.load(width, 32), v128.load(low, 48), v128.load(width, 48)),
      16,
    );
    phase += step;
    while (phase >= period) phase -= period;
  }
  for (; i < count; i++) {
    const at = (<usize>phase) << 3;
    const from = source + <usize>i * sizeof<T>();
    dequantizeOne<T>(from, target + ((<usize>i) << 2), load<f64>(lows + at), load<f64>(widths + at));
    phase = phase + 1 === period ? 0 : phase + 1;
  }
}

export function dequantizeRuns8(
  source: usize,
  target: usize,
  count: i32,
  channel: i32,
  left: i32,
  stride: i32,
  channels: i32,
  lows: usize,
  widths: usize,
): void {
  dequantizeRuns<u8>(source, target, count, channel, left, stride, channels, lows, widths);
}

export function dequantizeRuns16(
  source: usize,
  target: usize,
  count: i32,
  channel: i32,
  left: i32,
  stride: i32,
  channels: i32,
  lows: usize,
  widths: usize,
): void {
  dequantizeRuns<u16>(source, target, count, channel, left, stride, channels, lows, widths);
}

export function dequantizeInterleaved8(
  source: usize,
  target: usize,
  count: i32,
  phase: i32,
  period: i32,
  lows: usize,
  widths: usize,
): void {
  dequantizeInterleaved<u8>(source, target, count, phase, period, lows, widths);
}

export function dequantizeInterleaved16(
  source: usize,
  target: usize,
  count: i32,
  phase: i32,
  period: i32,
  lows: usize,
  widths: usize,
): void {
  dequantizeInterleaved<u16>(source, target, count, phase, period, lows, widths);
}

/** Levels that `dequantizeLevels8` looks up. */
const lookedUp = 32;

/**
 * Writes the first 32 levels of a channel to `target`: the first bytes of all of them, then the second ones, and so on.
 */
export function writeLevels(target: usize, low: f64, width: f64): void {
  for (let level = 0; level < lookedUp; level++) {
    const bits = reinterpret<u32>(f32(low + f64(level) * width));
    for (let byte = 0; byte < 4; byte++)
      store<u8>(target + byte * lookedUp + level, <u8>(bits >> (byte << 3)));
  }
}

/**
 * `count` elements of one channel, at least 16, by the levels of `writeLevels`: in half the time that it takes to compute
 * each of them. Of the last 16 some may be done twice.
 * @returns whether all symbols have their level there; what others stand for is wrong
 */
export function dequantizeLevels8(source: usize, target: usize, count: i32, levels: usize): bool {
  const a0 = v128.load(levels);
  const a1 = v128.load(levels, 16);
  const b0 = v128.load(levels, 32);
  const b1 = v128.load(levels, 48);
  const c0 = v128.load(levels, 64);
  const c1 = v128.load(levels, 80);
  const d0 = v128.load(levels, 96);
  const d1 = v128.load(levels, 112);
  const half = i8x16.splat(16);
  let seen = i8x16.splat(0);
  const last = count - 16;
  for (let i = 0; ; i = min(i + 16, last)) {
    const symbols = v128.load(source + i);
    seen = v128.or(seen, symbols);
    // A place beyond the 16 that are looked in gives 0.
    const above = i8x16.sub(symbols, half);
    const a = v128.or(i8x16.swizzle(a0, symbols), i8x16.swizzle(a1, above));
    const b = v128.or(i8x16.swizzle(b0, symbols), i8x16.swizzle(b1, above));
    const c = v128.or(i8x16.swizzle(c0, symbols), i8x16.swizzle(c1, above));
    const d = v128.or(i8x16.swizzle(d0, symbols), i8x16.swizzle(d1, above));
    const abLow = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const abHigh = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const cdLow = i8x16.shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const cdHigh = i8x16.shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const to = target + ((<usize>i) << 2);
    v128.store(to, i16x8.shuffle(abLow, cdLow, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to, i16x8.shuffle(abLow, cdLow, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    v128.store(to, i16x8.shuffle(abHigh, cdHigh, 0, 8, 1, 9, 2, 10, 3, 11), 32);
    v128.store(to, i16x8.shuffle(abHigh, cdHigh, 4, 12, 5, 13, 6, 14, 7, 15), 48);
    if (i === last) break;
  }
  return !v128.any_true(v128.and(seen, i8x16.splat(<i8>~(lookedUp - 1))));
}
