/** What the passes over a tensor with gaps find, beside the sums written down as they are meant, bit for bit. */
import { channelAxis, channelIndex, type Layout, planeGeometry } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";
import { channelRanges } from "#concealment/channel-ranges.js";
import { channelMeanBaseline } from "#concealment/field-concealer.js";
import { type Gap, listGaps, sumChannels } from "#concealment/gap.js";
import { createResidualField, forgetGap, loadResiduals } from "#concealment/residual-field.js";
import { temporalBaseline } from "#concealment/temporal.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const side = fc.integer({ min: 1, max: 10 });
const shapes = fc.oneof(
  fc.tuple(fc.constantFrom<Layout>("chw", "hwc"), fc.tuple(side, side, side)),
  fc.tuple(fc.constant<Layout>("any"), fc.tuple(fc.integer({ min: 1, max: 3_000 }))),
);
const value = fc.oneof(
  { weight: 20, arbitrary: fc.float({ min: -8, max: 8, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity) },
);

/** A tensor with gaps, and an earlier one. What is missing is 0, as decoders leave it. */
const cases = shapes.chain(([layout, shape]) => {
  const length = (shape as number[]).reduce((product, size) => product * size, 1);
  const values = fc.array(value, { minLength: length, maxLength: length });
  const lost = fc.array(fc.constantFrom(0, 0, 0, 0, 1, 255), { minLength: length, maxLength: length });
  return fc.record({
    layout: fc.constant(layout),
    shape: fc.constant(shape as number[]),
    values,
    earlier: values,
    lost,
  });
});

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function gapOf({ layout, shape, values, earlier, lost }: Case): Gap & { readonly reference: Float32Array } {
  const missing = Uint8Array.from(lost);
  return {
    values: Float32Array.from(values, (each, i) => (missing[i] === 0 ? each : 0)),
    ...{ missing, gaps: listGaps(missing).slice() },
    ...{ axis: channelAxis(shape, layout), geometry: planeGeometry(shape, layout), statistics: undefined },
    reference: Float32Array.from(earlier),
  };
}

const isFinite32 = (each: number) => each - each === 0;
const cameElements = ({ values, missing }: Gap) =>
  [...values.keys()].filter((i) => missing[i] === 0 && isFinite32(values[i]!));
const same = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  a.length === b.length && Array.from(a).every((each, i) => Object.is(each, b[i]));
const check = (holds: (gap: ReturnType<typeof gapOf>) => boolean) =>
  fc.assert(
    fc.property(cases, (each) => holds(gapOf(each))),
    { seed, numRuns: 300 },
  );

t.test("the missing elements and the end are listed", async () => {
  check(({ missing, gaps }) =>
    same(gaps, [...[...missing.keys()].filter((i) => missing[i] !== 0), missing.length]),
  );
});

t.test("sums of channels are of what came and is finite", async () => {
  check((gap) => {
    const { axis, values } = gap;
    const sums = new Float64Array(axis.channels);
    const counts = new Float64Array(axis.channels);
    for (const i of cameElements(gap)) {
      const channel = channelIndex(axis, i);
      sums[channel]! += values[i]!;
      counts[channel]! += 1;
    }
    const found = sumChannels(gap);
    return same(found.sums, sums) && same(found.counts, counts);
  });
});

t.test("ranges of channels hold what came and the reference", async () => {
  check((gap) => {
    const { axis, values, reference } = gap;
    const found = channelRanges(gap);
    const known = Array.from({ length: axis.channels }, (): number[] => []);
    for (const i of cameElements(gap)) known[channelIndex(axis, i)]!.push(values[i]!);
    for (const [i, each] of reference.entries())
      if (isFinite32(each)) known[channelIndex(axis, i)]!.push(each);
    return known.every((all, channel) =>
      all.length === 0
        ? found.lowest[channel] === -Infinity && found.highest[channel] === Infinity
        : found.lowest[channel] === Math.min(...all) && found.highest[channel] === Math.max(...all),
    );
  });
});

/** The gain of the tile at a row and a column, as the specification words it. */
function plainGain(
  gap: Gap & { readonly reference: Float32Array },
  means: Float32Array,
  row: number,
  column: number,
) {
  const { values, reference, geometry } = gap;
  const { channels = 1, height = 1, width = values.length } = geometry ?? {};
  const { channelStep = 0, rowStep = 0, columnStep = 1 } = geometry ?? {};
  const tile = geometry ? 4 : values.length;
  const [rows, columns] = [Math.ceil(height / tile), Math.ceil(width / tile)];
  const products = new Float64Array(rows * columns);
  const squares = new Float64Array(rows * columns);
  const came = new Set(cameElements(gap));
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const i = c * channelStep + y * rowStep + x * columnStep;
        const expected = reference[i]! - means[i]!;
        if (!came.has(i) || !isFinite32(expected)) continue;
        const at = Math.floor(y / tile) * columns + Math.floor(x / tile);
        products[at]! += expected * (values[i]! - means[i]!);
        squares[at]! += expected * expected;
      }
    }
  }
  let product = products.reduce((sum, each) => sum + each, 0) / products.length;
  let square = squares.reduce((sum, each) => sum + each, 0) / squares.length;
  for (let r = row - 1; r <= row + 1; r++) {
    for (let c = column - 1; c <= column + 1; c++) {
      if (r < 0 || c < 0 || r >= rows || c >= columns) continue;
      const weight = (r === row ? 2 : 1) * (c === column ? 2 : 1);
      product += weight * products[r * columns + c]!;
      square += weight * squares[r * columns + c]!;
    }
  }
  return square > 0 ? Math.max(0, Math.min(1, product / square)) : 0;
}

t.test("the baseline takes as much of the reference as what came confirms, tile by tile", async () => {
  check((gap) => {
    const { values, missing, reference, geometry } = gap;
    const means = channelMeanBaseline(gap).slice();
    const baseline = new Float32Array(values.length);
    temporalBaseline(gap, means, reference, baseline);
    const gains = new Map<string, number>();
    return [...values.keys()].every((i) => {
      // Without planes only what is missing is asked for.
      if (!geometry && missing[i] === 0) return true;
      const { width = 1, axis, height = 1 } = geometry ?? {};
      const position = axis?.stride === 1 ? Math.floor(i / axis.channels) : i % (width * height);
      const [row, column] = geometry
        ? [Math.floor(position / width / 4), Math.floor((position % width) / 4)]
        : [0, 0];
      const key = `${row}/${column}`;
      if (!gains.has(key)) gains.set(key, plainGain(gap, means, row, column));
      const expected = means[i]! + gains.get(key)! * (reference[i]! - means[i]!);
      return Object.is(baseline[i], Math.fround(isFinite32(expected) ? expected : means[i]!));
    });
  });
});

t.test(
  "residuals: what came less the baseline, elsewhere the mean of the channel's, and 0 for what is no number",
  async () => {
    check((gap) => {
      const { geometry, missing, values, reference } = gap;
      if (!geometry) return true;
      const baseline = reference.map((each) => (isFinite32(each) ? each : 0));
      const field = createResidualField(geometry);
      // Twice: nothing of a tensor may be left for the next one.
      const whole = { ...gap, gaps: Int32Array.of(values.length), missing: new Uint8Array(values.length) };
      forgetGap(field, loadResiduals(field, whole, baseline));
      loadResiduals(field, gap, baseline);
      const { channels, height, width, channelStep, rowStep, columnStep } = geometry;
      const listed: number[] = [];
      for (let c = 0; c < channels; c++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const i = c * channelStep + y * rowStep + x * columnStep;
            const place = c * field.planeSize + (y + 1) * field.pitch + x + 1;
            if (missing[i] !== 0) listed.push(i);
            const hasCome = missing[i] === 0 && isFinite32(values[i]!);
            if (field.came[place] !== Number(hasCome)) return false;
            const residual = hasCome ? Math.fround(values[i]! - baseline[i]!) : 0;
            if (missing[i] === 0 && field.residuals[place] !== residual) return false;
          }
        }
        if (field.firsts[c + 1] !== listed.length) return false;
        for (let k = field.firsts[c]!; k < listed.length; k++) {
          const lost = listed.length - field.firsts[c]!;
          const mean = Math.fround(field.totals[c]! / (height * width - lost + 8));
          if (!Object.is(field.residuals[field.places[k]!], mean)) return false;
        }
      }
      return same(field.elements.subarray(0, listed.length), listed);
    });
  },
);
