import { type ChannelAxis, type CutStatistics, TensorError, type TensorSpec } from "@sluice/tensor";
import { channelGrid } from "../channel-grid.js";
import { channelElementOrder, orderedAxis, placesOf, type UnitOrder } from "../unit-order.js";
import { checkInterleavedSize, dealPlaces } from "./dealing-order.js";
import { type Interleaving, interleaveField } from "./interleaving.js";

/** The order of a chain's units, and what its stages must know of channels in it. */
export interface Arrangement {
  readonly order: UnitOrder;
  readonly axis: ChannelAxis;
  /** Rows of a channel that follow one another in this order: all of them, or half of them. */
  readonly rows: number;
  /** Of the channels in this order. */
  readonly statistics: CutStatistics | undefined;
}

/**
 * Single elements in an interleaved order: with `channel-strided` whole channels in an order that spreads them; else
 * place after place of the plane, and of each place all channels. Each channel begins at another place, so that what a
 * slice holds of one channel lies elsewhere in the others.
 * @throws TensorError of the field `interleave` where the tensor is too large
 */
export function arrangeElements(
  spec: TensorSpec,
  statistics: CutStatistics | undefined,
  interleaving: Interleaving,
): Arrangement {
  const base = channelElementOrder(spec);
  if (interleaving.kind === "channel-strided") {
    return arrangeChannels(base, spec, statistics, interleaving);
  }
  checkInterleavedSize(spec);
  const { channels, rows, columns } = channelGrid(spec);
  const plane = rows * columns;
  const dealt = dealPlaces(interleaving, rows, columns);
  const dealtElements = new Uint32Array(channels * plane);
  for (let channel = 0; channel < channels; channel++) {
    const shift = Math.floor((channel * plane) / channels);
    for (let rank = 0; rank < plane; rank++) {
      const at = rank + shift < plane ? rank + shift : rank + shift - plane;
      dealtElements[rank * channels + channel] = channel * plane + dealt[at]!;
    }
  }
  const order = reorder(base, spec, dealtElements);
  return { order, axis: axisOf(spec, order, { channels, stride: 1 }), rows, statistics };
}

/**
 * Every second row of each channel, then the others: of even channels first the even rows, of odd ones the odd rows. What
 * is lost has its neighbours above and below in its channel, and a code that goes by rows finds some beside each element.
 * @param base single elements by channels
 * @throws TensorError of the field `interleave` for channels with an odd number of rows, and as `arrangeElements`
 */
export function arrangeRows(
  base: UnitOrder,
  spec: TensorSpec,
  statistics: CutStatistics | undefined,
): Arrangement {
  checkInterleavedSize(spec);
  const { channels, rows, columns } = channelGrid(spec);
  if (rows % 2 !== 0) {
    throw new TensorError(
      interleaveField,
      `checkerboard, and a channel has ${rows} rows, which are no even number; use channel-strided or pseudo-random`,
    );
  }
  const half = (rows / 2) * columns;
  const dealtElements = Uint32Array.from({ length: channels * rows * columns }, (_, i) => {
    const piece = Math.floor(i / half);
    const channel = piece % channels;
    const phase = (Math.floor(piece / channels) + channel) % 2;
    const place = i - piece * half;
    const row = 2 * Math.floor(place / columns) + phase;
    return (channel * rows + row) * columns + (place % columns);
  });
  const order = reorder(base, spec, dealtElements);
  return { order, axis: axisOf(spec, order, { channels, stride: half }), rows: rows / 2, statistics };
}

/**
 * Units of whole channels, channel after channel, with the channels in an interleaved order: they are spread, or chance
 * decides.
 * @throws TensorError of the field `interleave` for an order that would tear channels apart, and as `arrangeElements`
 */
export function arrangeChannels(
  base: UnitOrder,
  spec: TensorSpec,
  statistics: CutStatistics | undefined,
  interleaving: Interleaving,
): Arrangement {
  const { channels, rows, columns } = channelGrid(spec);
  if (interleaving.kind === "contiguous")
    return { order: base, axis: orderedAxis(spec, base), rows, statistics };
  if (interleaving.kind === "checkerboard") {
    throw new TensorError(
      interleaveField,
      "checkerboard, and this codec keeps what is next to each other in a channel together; " +
        "use channel-strided or pseudo-random",
    );
  }
  checkInterleavedSize(spec);
  const plane = rows * columns;
  const dealt = dealPlaces(interleaving, 1, channels);
  const dealtElements = Uint32Array.from({ length: channels * plane }, (_, i) => {
    const channel = Math.floor(i / plane);
    return i + (dealt[channel]! - channel) * plane;
  });
  const order = reorder(base, spec, dealtElements);
  const axis = axisOf(spec, order, { channels, stride: plane });
  return {
    ...{ order, axis, rows },
    statistics: statistics && axis.channels > 1 ? dealChannels(statistics, dealt) : statistics,
  };
}

/** Elements of `base` in the order of `dealt`; units are as before. */
function reorder(base: UnitOrder, spec: TensorSpec, dealt: Uint32Array): UnitOrder {
  const places = placesOf(base, spec);
  return { ...base, reordered: { kind: "table", places: dealt.map((element) => places[element]!) } };
}

/** Without a layout, statistics are of one channel. */
function axisOf(spec: TensorSpec, order: UnitOrder, axis: ChannelAxis): ChannelAxis {
  return spec.layout === "any" ? orderedAxis(spec, order) : axis;
}

function dealChannels(statistics: CutStatistics, dealt: Uint32Array): CutStatistics {
  const { channelMean, channelDeviation, channelMinimum, channelMaximum } = statistics;
  // What is of another length is refused by the stage that uses it.
  const inOrder = (values: Float32Array): Float32Array =>
    values.length === dealt.length ? Float32Array.from(dealt, (channel) => values[channel]!) : values;
  return {
    ...statistics,
    ...{ channelMean: inOrder(channelMean), channelDeviation: inOrder(channelDeviation) },
    ...(channelMinimum ? { channelMinimum: inOrder(channelMinimum) } : {}),
    ...(channelMaximum ? { channelMaximum: inOrder(channelMaximum) } : {}),
  };
}
