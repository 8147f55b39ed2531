// Which units a slice covers, and into what it splits (spec 5.2). Computed with BigInt.
export const about = "Units that a slice covers, and slices that it splits into.";

const range = (index, count, units) => ({
  first: Number((BigInt(index) * BigInt(units)) / BigInt(count)),
  end: Number(((BigInt(index) + 1n) * BigInt(units)) / BigInt(count)),
});

const good = [
  [0, 1, 1],
  [0, 2, 5],
  [1, 2, 5],
  [0, 3, 10],
  [1, 3, 10],
  [2, 3, 10],
  [6, 7, 100352],
  [9999999, 16777215, 16777216],
  [16777214, 16777215, 16777216],
  [16777215, 16777216, 16777216],
  [11184811, 16777213, 16777216],
  [8388607, 16777213, 16777215],
];
const bad = [
  ["index-is-count", 3, 3, 10],
  ["count-above-units", 0, 11, 10],
  ["count-zero", 0, 0, 10],
];

export const cases = [
  ...good.map(([index, count, units]) => ({
    ...{ id: `slice-range/${index}-of-${count}-in-${units}`, shows: ["sluice/5.2/1"], op: "slice-range" },
    ...{ input: { index, count, units }, output: range(index, count, units) },
  })),
  ...bad.map(([name, index, count, units]) => ({
    ...{ id: `slice-range/${name}`, shows: ["sluice/5.2/2"], op: "slice-range" },
    ...{ input: { index, count, units }, error: "sliceOutOfRange" },
  })),
  ...[
    [0, 1, 4],
    [2, 5, 3],
  ].map(([index, count, parts]) => ({
    ...{ id: `slice-split/${index}-of-${count}-in-${parts}`, shows: [], op: "slice-split" },
    input: { index, count, parts },
    output: {
      slices: Array.from({ length: parts }, (_, j) => ({ index: index * parts + j, count: count * parts })),
    },
  })),
];
