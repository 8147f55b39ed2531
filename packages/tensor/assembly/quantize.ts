// Uniform quantization of float32 (spec 6.2). All arithmetic is in float64, as in the plain twin, so that both give
// the same symbols. `T` is u8 or u16, the type of a symbol; `last` is the highest one, `nan` what NaN becomes.

/** Elements of a step: 16 float32 are four vectors, and as many symbols one or two. */
const step = 16;

/** 4 float32 at `source` to symbols in 32-bit lanes, not yet bounded above; NaN gives 0. */
function symbols4(source: usize, low: v128, inverse: v128, low2: v128, inverse2: v128): v128 {
  const half = f64x2.splat(0.5);
  const a = f64x2.promote_low_f32x4(v128.load64_zero(source));
  const b = f64x2.promote_low_f32x4(v128.load64_zero(source, 8));
  const first = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.mul(f64x2.sub(a, low), inverse), half));
  const second = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.mul(f64x2.sub(b, low2), inverse2), half));
  return i64x2.shuffle(first, second, 0, 2);
}

/** The same for 4 neighbours of which each has its own float64 `low` and `inverse`. */
function symbols4Of(source: usize, low: usize, inverse: usize): v128 {
  return symbols4(source, v128.load(low), v128.load(inverse), v128.load(low, 16), v128.load(inverse, 16));
}

/** Whether one of the 16 float32 at `source` is NaN. */
function hasNan(source: usize): bool {
  const a = v128.load(source);
  const b = v128.load(source, 16);
  const c = v128.load(source, 32);
  const d = v128.load(source, 48);
  const ab = v128.or(f32x4.ne(a, a), f32x4.ne(b, b));
  return v128.any_true(v128.or(ab, v128.or(f32x4.ne(c, c), f32x4.ne(d, d))));
}

/** Stores 16 symbols, bounded by `last`. */
function store16<T>(target: usize, a: v128, b: v128, c: v128, d: v128, last: i32): void {
  if (sizeof<T>() === 1) {
    const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
    v128.store(target, i8x16.min_u(bytes, i8x16.splat(<i8>last)));
  } else {
    const bound = i16x8.splat(<i16>last);
    v128.store(target, i16x8.min_u(i16x8.narrow_i32x4_u(a, b), bound));
    v128.store(target, i16x8.min_u(i16x8.narrow_i32x4_u(c, d), bound), 16);
  }
}

function quantizeOne<T>(source: usize, target: usize, low: f64, inverse: f64, last: i32, nan: i32): void {
  const level = (f64(load<f32>(source)) - low) * inverse + 0.5;
  let symbol = nan;
  if (level >= 1) symbol = level < f64(last) ? i32(level) : last;
  else if (level < 1) symbol = 0;
  store<T>(target, <T>symbol);
}

function quantizeScalars<T>(
  source: usize,
  target: usize,
  count: i32,
  low: f64,
  inverse: f64,
  last: i32,
  nan: i32,
): void {
  for (let i = 0; i < count; i++) {
    quantizeOne<T>(source + ((<usize>i) << 2), target + <usize>i * sizeof<T>(), low, inverse, last, nan);
  }
}

/** `count` elements of one channel. */
function quantizeRun<T>(
  source: usize,
  target: usize,
  count: i32,
  low: f64,
  inverse: f64,
  last: i32,
  nan: i32,
): void {
  if (count < step) {
    quantizeScalars<T>(source, target, count, low, inverse, last, nan);
    return;
  }
  const lows = f64x2.splat(low);
  const inverses = f64x2.splat(inverse);
  for (let i = 0; ; ) {
    const from = source + ((<usize>i) << 2);
    const to = target + <usize>i * sizeof<T>();
    if (hasNan(from)) quantizeScalars<T>(from, to, step, low, inverse, last, nan);
    else {
      store16<T>(
        to,
        symbols4(from, lows, inverses, lows, inverses),
        symbols4(from + 16, lows, inverses, lows, inverses),
        symbols4(from + 32, lows, inverses, lows, inverses),
        symbols4(from + 48, lows, inverses, lows, inverses),
        last,
      );
    }
    if (i + step === count) break;
    // The last step goes over some elements a second time, rather than over the rest one by one.
    i = min(i + step, count - step);
  }
}

/**
 * Elements of a tensor whose channels lie together, `stride` elements each; the first of them is of `channel`, of
 * which `left` elements remain.
 * @param lows, inverses float64 for each channel
 * @param nans u16 for each channel
 */
function quantizeRuns<T>(
  source: usize,
  target: usize,
  count: i32,
  channel: i32,
  left: i32,
  stride: i32,
  channels: i32,
  lows: usize,
  inverses: usize,
  nans: usize,
  last: i32,
): void {
  while (count > 0) {
    const run = min(left, count);
    const at = (<usize>channel) << 3;
    const nan = <i32>load<u16>(nans + ((<usize>channel) << 1));
    quantizeRun<T>(source, target, run, load<f64>(lows + at), load<f64>(inverses + at), last, nan);
    source += (<usize>run) << 2;
    target += <usize>run * sizeof<T>();
    count -= run;
    left = stride;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
}

function quantizeEach<T>(
  source: usize,
  target: usize,
  count: i32,
  phase: i32,
  period: i32,
  lows: usize,
  inverses: usize,
  nans: usize,
  last: i32,
): void {
  for (let i = 0; i < count; i++) {
    const at = (<usize>phase) << 3;
    const nan = <i32>load<u16>(nans + ((<usize>phase) << 1));
    const from = source + ((<usize>i) << 2);
    const to = target + <usize>i * sizeof<T>();
    quantizeOne<T>(from, to, load<f64>(lows + at), load<f64>(inverses + at), last, nan);
    phase = phase + 1 === period ? 0 : phase + 1;
  }
}

/**
 * Elements whose parameters repeat with a short period, as they do where channels are innermost; the first of them is
 * at `phase` of the period.
 * @param lows, inverses, nans as above, for each element of the period and 15 more, which repeat the first ones
 */
function quantizeInterleaved<T>(
  source: usize,
  target: usize,
  count: i32,
  phase: i32,
  period: i32,
  lows: usize,
  inverses: usize,
  nans: usize,
  last: i32,
): void {
  let i = 0;
  for (; i + step <= count; i += step) {
    const from = source + ((<usize>i) << 2);
    const to = target + <usize>i * sizeof<T>();
    const low = lows + ((<usize>phase) << 3);
    const inverse = inverses + ((<usize>phase) << 3);
    if (hasNan(from)) quantizeEach<T>(from, to, step, phase, period, lows, inverses, nans, last);
    else {
      store16<T>(
        to,
        symbols4Of(from, low, inverse),
        symbols4Of(from + 16, low + 32, inverse + 32),
        symbols4Of(from + 32, low + 64, inverse + 64),
        symbols4Of(from + 48, low + 96, inverse + 96),
        last,
      );
    }
    phase += step;
    while (phase >= period) phase -= period;
  }
  const from = source + ((<usize>i) << 2);
  const to = target + <usize>i * sizeof<T>();
  quantizeEach<T>(from, to, count - i, phase, period, lows, inverses, nans, last);
}

export function quantizeRuns8(
  source: usize,
  target: usize,
  count: i32,
  channel: i32,
  left: i32,
  stride: i32,
  channels: i32,
  lows: usize,
  inverses: usize,
  nans: usize,
  last: i32,
): void {
  quantizeRuns<u8>(source, target, count, channel, left, stride, channels, lows, inverses, nans, last);
}

export function quantizeRuns16(
  source: usize,
  target: usize,
  count: i32,
  channel: i32,
  left: i32,
  stride: i32,
  channels: i32,
  lows: usize,
  inverses: usize,
  nans: usize,
  last: i32,
): void {
  quantizeRuns<u16>(source, target, count, channel, left, stride, channels, lows, inverses, nans, last);
}

export function quantizeInterleaved8(
  source: usize,
  target: usize,
  count: i32,
  phase: i32,
  period: i32,
  lows: usize,
  inverses: usize,
  nans: usize,
  last: i32,
): void {
  quantizeInterleaved<u8>(source, target, count, phase, period, lows, inverses, nans, last);
}

export function quantizeInterleaved16(
  source: usize,
  target: usize,
  count: i32,
  phase: i32,
  period: i32,
  lows: usize,
  inverses: usize,
  nans: usize,
  last: i32,
): void {
  quantizeInterleaved<u16>(source, target, count, phase, period, lows, inverses, nans, last);
}
