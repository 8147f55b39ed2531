// What slices hold (spec 5.8), written as the text says. It shares no code with the packages.
import { channelOf, count } from "./naive-codec.mjs";

const all = (length, make) => Array.from({ length }, (_, i) => make(i));

/** b(n): the fewest bits that all numbers below n fit. */
function bitsBelow(n) {
  let b = 0;
  while (2 ** b < n) b++;
  return b;
}

function rankOf(y, x, rows, columns) {
  let rank = "";
  for (let bit = 0; bit < Math.max(bitsBelow(rows), bitsBelow(columns)); bit++) {
    const [a, b] = [Math.floor(y / 2 ** bit) % 2, Math.floor(x / 2 ** bit) % 2];
    if (bit >= bitsBelow(columns)) rank += a;
    else if (bit >= bitsBelow(rows)) rank += b;
    else rank += `${(a + b) % 2}${a}`;
  }
  return rank === "" ? 0 : Number.parseInt(rank, 2);
}

function scrambled(place, seed) {
  const modulus = 2n ** 32n;
  let h = (BigInt(place) * 0x9e3779b9n + BigInt(seed)) % modulus;
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) % modulus;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) % modulus;
  return Number(h ^ (h >> 16n));
}

/** The places of a plane in the order in which an interleaving deals them. */
export function dealt(interleave, rows, columns) {
  if (interleave === "") return all(rows * columns, (place) => place);
  const seed = /^pseudo-random:seed=(\d+)$/.exec(interleave)?.[1];
  const rank = all(rows * columns, (place) =>
    seed === undefined
      ? rankOf(Math.floor(place / columns), place % columns, rows, columns)
      : scrambled(place, seed),
  );
  return [...rank.keys()].sort((a, b) => rank[a] - rank[b] || a - b);
}

/** Channel by channel the elements of a tensor, and how many rows and columns a channel has. */
function planesOf(spec) {
  const { shape, layout } = spec;
  const columns = (layout === "hwc" ? shape[1] : shape.at(-1)) ?? 1;
  const rows = (layout === "hwc" ? shape[0] : shape.at(-2)) ?? 1;
  const size = rows * columns;
  const elements = all(count(shape), (i) => i);
  const planes =
    layout === "hwc"
      ? all(shape[2], (c) => elements.filter((i) => channelOf(spec, i) === c))
      : all(elements.length / size, (c) => elements.slice(c * size, (c + 1) * size));
  return { rows, columns, planes };
}

/** Channels in the order in which they are dealt, where units belong to channels. */
export function dealtChannels(interleave, channels) {
  return dealt(interleave, 1, channels);
}

/** Elements of the tensor in the order in which they are dealt, where units are single elements. */
export function dealtElements(spec, interleave) {
  if (interleave === "") return all(count(spec.shape), (i) => i);
  const { rows, columns, planes } = planesOf(spec);
  if (interleave === "channel-strided")
    return dealtChannels(interleave, planes.length).flatMap((c) => planes[c]);
  const order = dealt(interleave, rows, columns);
  return order.flatMap((_, rank) =>
    planes.map((plane, c) => {
      const shift = Math.floor((c * plane.length) / planes.length);
      return plane[order[(rank + shift) % plane.length]];
    }),
  );
}
