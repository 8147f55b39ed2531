import type { PlaneGeometry } from "@sluice/tensor";
import type { Gap } from "./gap.js";

/**
 * Deviations of a tensor from a baseline, one plane after the other, each with a border of one element, so that whatever
 * looks at neighbours needs no care at the edges. The border is 0: as the baseline has it.
 */
export interface ResidualField {
  readonly geometry: PlaneGeometry;
  /** Elements from one row to the next, and from one plane to the next. */
  readonly pitch: number;
  readonly planeSize: number;
  readonly residuals: Float32Array;
  /** 1 where a finite element came; between two tensors, of all elements. */
  readonly came: Uint8Array;
  /** Missing elements, channel after channel in row-major order: where in `residuals`, and where in the tensor. */
  readonly places: Int32Array;
  readonly elements: Int32Array;
  /** Where each channel's begin in these lists; one more than there are channels. */
  readonly firsts: Int32Array;
  /** Where in its plane each position stands. */
  readonly placesInPlane: Int32Array;
  /** Room for a number for each channel. */
  readonly cursors: Int32Array;
  /** Of the deviations that came, for each channel. */
  readonly totals: Float64Array;
  /** Room for a number for each element of a plane. */
  readonly sums: Float64Array;
  /** Room for choosing predictors: a place and an element for each element of a plane. */
  readonly choice: { readonly byOwn: Int32Array; readonly byOthers: Int32Array };
}

/** Elements at the baseline that the mean of what came is taken together with, to begin with. */
const startShrinkage = 8;

export function createResidualField(geometry: PlaneGeometry): ResidualField {
  const { channels, height, width } = geometry;
  const pitch = width + 2;
  const planeSize = pitch * (height + 2);
  const size = channels * height * width;
  const field: ResidualField = {
    ...{ geometry, pitch, planeSize },
    residuals: new Float32Array(channels * planeSize),
    came: new Uint8Array(channels * planeSize),
    ...{ places: new Int32Array(size + 1), elements: new Int32Array(size + 1) },
    totals: new Float64Array(channels),
    placesInPlane: Int32Array.from({ length: height * width }, (_, position) => {
      return (Math.floor(position / width) + 1) * pitch + (position % width) + 1;
    }),
    cursors: new Int32Array(channels),
    ...{ firsts: new Int32Array(channels + 1), sums: new Float64Array(height * width) },
    choice: { byOwn: new Int32Array(2 * height * width), byOthers: new Int32Array(2 * height * width) },
  };
  markAllCame(field);
  return field;
}

function markAllCame({ geometry, came, planeSize, placesInPlane }: ResidualField): void {
  for (let plane = 0; plane < geometry.channels * planeSize; plane += planeSize) {
    for (let i = 0; i < placesInPlane.length; i++) came[plane + placesInPlane[i]!] = 1;
  }
}

/**
 * Takes in a tensor with a gap. Missing elements begin with the mean deviation of what came of their channel.
 * @param baseline for each element of the tensor
 * @returns whether NaN or infinities came
 */
export function loadResiduals(field: ResidualField, gap: Gap, baseline: Float32Array): boolean {
  const { geometry, residuals, places, firsts, totals } = field;
  const { channels, height, width } = geometry;
  listPlaces(field, gap);
  let isSpoiled = false;
  for (let channel = 0; channel < channels; channel++) {
    const total = loadPlane(field, gap, baseline, channel);
    totals[channel] = total;
    isSpoiled ||= total - total !== 0;
  }
  if (isSpoiled) dropSpoiled(field);
  for (let channel = 0; channel < channels; channel++) {
    const [first, end] = [firsts[channel]!, firsts[channel + 1]!];
    const start = totals[channel]! / (height * width - (end - first) + startShrinkage);
    for (let i = first; i < end; i++) residuals[places[i]!] = start;
  }
  return isSpoiled;
}

/** Lists the missing elements channel after channel; those of a channel keep their order. */
function listPlaces(field: ResidualField, { gaps }: Gap): void {
  const { places, firsts, came } = field;
  if (field.geometry.axis.stride === 1) dealPlaces(field, gaps);
  else {
    for (let channel = 0, at = 0; channel < field.geometry.channels; channel++) {
      firsts[channel] = at;
      at = listPlane(field, gaps, channel, at);
      firsts[channel + 1] = at;
    }
  }
  const count = firsts[firsts.length - 1]!;
  for (let i = 0; i < count; i++) came[places[i]!] = 0;
}

/** Of a channel that lies in one piece. @param at its first gap @returns the first one behind it */
function listPlane(
  { geometry, planeSize, placesInPlane, places, elements }: ResidualField,
  gaps: Int32Array,
  channel: number,
  at: number,
): number {
  const { stride } = geometry.axis;
  const first = channel * stride;
  const plane = channel * planeSize;
  let i = at;
  for (let element = gaps[i]!; element < first + stride; element = gaps[++i]!) {
    elements[i] = element;
    places[i] = plane + placesInPlane[element - first]!;
  }
  return i;
}

/** Of channels that lie next to each other at each position. */
function dealPlaces(
  { geometry, planeSize, placesInPlane, places, elements, firsts, cursors }: ResidualField,
  gaps: Int32Array,
): void {
  const { channels } = geometry;
  const count = gaps.length - 1;
  cursors.fill(0);
  for (let at = 0; at < count; at++) {
    const channel = gaps[at]! % channels;
    cursors[channel] = cursors[channel]! + 1;
  }
  for (let channel = 0, listed = 0; channel < channels; channel++) {
    firsts[channel] = listed;
    listed += cursors[channel]!;
    cursors[channel] = firsts[channel]!;
    firsts[channel + 1] = listed;
  }
  for (let at = 0; at < count; at++) {
    const element = gaps[at]!;
    const position = (element / channels) | 0;
    const channel = element - position * channels;
    const to = cursors[channel]!;
    cursors[channel] = to + 1;
    places[to] = channel * planeSize + placesInPlane[position]!;
    elements[to] = element;
  }
}

/**
 * Stores the deviations of a channel; those of missing elements mean nothing.
 * @returns the sum of those that came; no finite number where one of them is none
 */
function loadPlane(
  { geometry, pitch, planeSize, residuals }: ResidualField,
  { values, missing }: Gap,
  baseline: Float32Array,
  channel: number,
): number {
  const { height, width, channelStep, rowStep, columnStep } = geometry;
  let total = 0;
  for (let y = 0; y < height; y++) {
    let place = channel * planeSize + (y + 1) * pitch + 1;
    const first = channel * channelStep + y * rowStep;
    const end = first + width * columnStep;
    for (let element = first; element < end; element += columnStep, place++) {
      // No branch by whether an element came, which no processor could foresee.
      const isMissing = (missing[element]! + 255) >> 8;
      const residual = values[element]! - baseline[element]!;
      residuals[place] = residual;
      total += residual * (1 - isMissing);
    }
  }
  return total;
}

/**
 * NaN and infinities count as nothing: neither as something to look at nor, if they came, as missing. Also where a missing
 * element holds one.
 */
function dropSpoiled({ residuals, came, totals, planeSize }: ResidualField): void {
  for (let channel = 0; channel < totals.length; channel++) {
    let sum = 0;
    for (let place = channel * planeSize; place < (channel + 1) * planeSize; place++) {
      const residual = residuals[place]!;
      if (residual - residual === 0) {
        sum += residual * came[place]!;
        continue;
      }
      residuals[place] = 0;
      came[place] = 0;
    }
    totals[channel] = sum;
  }
}

/** Forgets the gap: then everything came again. @param isSpoiled as {@link loadResiduals} said */
export function forgetGap(field: ResidualField, isSpoiled: boolean): void {
  const { came, places, firsts } = field;
  const count = firsts[firsts.length - 1]!;
  for (let i = 0; i < count; i++) came[places[i]!] = 1;
  if (isSpoiled) markAllCame(field);
}
