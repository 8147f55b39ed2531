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
