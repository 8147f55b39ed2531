// Concealment by deviations (spec 6.5), written as the text says. It shares no code with the packages.

/** Channel, row and column of an element; `undefined` in a layout without planes. */
function placeOf({ shape, layout }, element) {
  const [, b, c] = shape;
  if (layout === "chw") return [Math.floor(element / (b * c)), Math.floor(element / c) % b, element % c];
  return [element % c, Math.floor(element / (b * c)), Math.floor(element / c) % b];
}

function elementAt({ shape, layout }, channel, row, column) {
  const [channels, height, width] = layout === "chw" ? shape : [shape[2], shape[0], shape[1]];
  if (row < 0 || row >= height || column < 0 || column >= width) return undefined;
  return layout === "chw"
    ? (channel * height + row) * width + column
    : (row * width + column) * channels + channel;
}

/** The used taps of a channel: those on other channels, then those on its own. */
function tapsOf({ taps, sources, weights }, channel, deviations) {
  const used = [];
  for (let i = channel * taps; i < (channel + 1) * taps; i++) {
    const from = Math.floor(sources[i] / 9);
    if (weights[i] === 0 || deviations[from] === 0) continue;
    const weight = (weights[i] * deviations[channel]) / deviations[from];
    used.push({
      ...{ channel: from, weight, isOwn: from === channel },
      ...{ down: Math.floor((sources[i] % 9) / 3) - 1, right: (sources[i] % 3) - 1 },
    });
  }
  return { other: used.filter(({ isOwn }) => !isOwn), own: used.filter(({ isOwn }) => isOwn) };
}

export const spatialTaps = (channels) => {
  const places = [0, 1, 2, 3, 5, 6, 7, 8];
  return {
    taps: 8,
    sources: Array.from({ length: channels * 8 }, (_, i) => 9 * Math.floor(i / 8) + places[i % 8]),
    weights: Array.from({ length: channels * 8 }, (_, i) =>
      Math.fround(places[i % 8] % 2 === 1 ? 0.385 : -0.148225),
    ),
  };
};

function sumInEights(products) {
  let sum = 0;
  for (let i = 0; i < products.length; i += 8) {
    const p = Array.from({ length: 8 }, (_, k) => products[i + k] ?? 0);
    const eight = p[0] + p[1] + p[2] + p[3] + (p[4] + p[5] + p[6] + p[7]);
    sum = i === 0 ? eight : sum + eight;
  }
  return sum;
}

/**
 * What missing elements become. `values`: float32, undefined where missing; `expected`: float32 of each element;
 * `tables`: near, own and others, or near alone; `ranges`: [lowest, highest] of each channel.
 */
export function concealByDeviations(spec, values, expected, tables, deviations, ranges) {
  const channels = ranges.length;
  const d = values.map((value, i) => (value === undefined ? 0 : Math.fround(value - expected[i])));
  const came = values.map((value, i) => value !== undefined && Number.isFinite(d[i]));
  for (const i of d.keys()) if (!Number.isFinite(d[i])) d[i] = 0;
  const starts = Array.from({ length: channels }, (_, channel) => {
    const present = [...values.keys()].filter(
      (i) => values[i] !== undefined && placeOf(spec, i)[0] === channel,
    );
    return present.reduce((sum, i) => sum + d[i], 0) / (present.length + 8);
  });
  for (const [i, value] of values.entries())
    if (value === undefined) d[i] = Math.fround(starts[placeOf(spec, i)[0]]);
  const lookAt = (i, tap) => {
    const [, row, column] = placeOf(spec, i);
    return elementAt(spec, tap.channel, row + tap.down, column + tap.right);
  };
  const layOut = (table) => Array.from({ length: channels }, (_, c) => tapsOf(table, c, deviations));
  const near = layOut(tables.near);
  const own = tables.own && layOut(tables.own);
  const others = tables.others && layOut(tables.others);
  const cameOf = (i, taps) => taps.filter((tap) => came[lookAt(i, tap)] === true).length;
  const isServed = (i, taps, thirds = 1) => taps.length > 0 && 3 * cameOf(i, taps) >= thirds * taps.length;
  const order = [];
  for (let channel = 0; channel < channels; channel++) {
    const missing = [...values.keys()].filter(
      (i) => values[i] === undefined && placeOf(spec, i)[0] === channel,
    );
    const choose = (i) => {
      if (!others) return near;
      const isOwnServed = isServed(i, near[channel].own);
      const isOtherServed = isServed(i, near[channel].other);
      if (isServed(i, near[channel].own, 2)) return near;
      if (isOwnServed) return isOtherServed ? near : own;
      return isOtherServed || isServed(i, others[channel].other) ? others : own;
    };
    for (const table of others ? [near, own, others] : [near])
      for (const i of missing.filter((i) => choose(i) === table)) order.push([i, table[channel], channel]);
  }
  for (const sweep of [order, order.toReversed(), order]) {
    for (const [i, taps, channel] of sweep) {
      const productsOf = (list) => {
        const products = list.map((tap) => tap.weight * (d[lookAt(i, tap)] ?? 0));
        while (products.length % 8 !== 0) products.push(0);
        return products;
      };
      const isAlone = taps.other.length + taps.own.length === 0;
      const sum = isAlone ? d[i] : sumInEights([...productsOf(taps.other), ...productsOf(taps.own)]);
      const [lowest, highest] = ranges[channel];
      d[i] = Math.fround(Math.min(highest - expected[i], Math.max(lowest - expected[i], sum)));
    }
  }
  return d.map((own, i) => expected[i] + own);
}
