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
  /** 1 where a finite element came. */
  readonly came: Uint8Array;
  /** Missing elements, channel after channel in row-major order: where in `residuals`, and where in the tensor. */
  readonly places: Int32Array;
  readonly elements: Int32Array;
  /** Where each channel's begin in these lists; one more than there are channels. */
  readonly firsts: Int32Array;
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
  return {
    ...{ geometry, pitch, planeSize },
    residuals: new Float32Array(channels * planeSize),
    came: new Uint8Array(channels * planeSize),
    ...{ places: new Int32Array(size + 1), elements: new Int32Array(size + 1) },
    totals: new Float64Array(channels),
    ...{ firsts: new Int32Array(channels + 1), sums: new Float64Array(height * width) },
    choice: { byOwn: new Int32Array(2 * height * width), byOthers: new Int32Array(2 * height * width) },
  };
}

/**
 * Takes in a tensor with a gap. Missing elements begin with the mean deviation of what came of their channel.
 * @param baseline for each element of the tensor
 */
export function loadResiduals(field: ResidualField, { values, missing }: Gap, baseline: Float32Array): void {
  const { geometry, pitch, planeSize, residuals, came, places, elements, firsts, totals } = field;
  const { channels, height, width, channelStep, rowStep, columnStep } = geometry;
  let listed = 0;
  let spoiled = 0;
  // No branch by whether an element came, which no processor could foresee.
  for (let channel = 0; channel < channels; channel++) {
    firsts[channel] = listed;
    let total = 0;
    for (let y = 0; y < height; y++) {
      let place = channel * planeSize + (y + 1) * pitch + 1;
      let element = channel * channelStep + y * rowStep;
      for (let x = 0; x < width; x++, place++, element += columnStep) {
        const isMissing = (missing[element]! + 255) >> 8;
        const residual = values[element]! - baseline[element]!;
        residuals[place] = residual;
        spoiled += residual - residual;
        total += residual * (1 - isMissing);
        came[place] = 1 - isMissing;
        places[listed] = place;
        elements[listed] = element;
        listed += isMissing;
      }
    }
    totals[channel] = total;
  }
  firsts[channels] = listed;
  if (spoiled !== 0) dropSpoiled(field);
  for (let channel = 0; channel < channels; channel++) {
    const [first, end] = [firsts[channel]!, firsts[channel + 1]!];
    const start = totals[channel]! / (height * width - (end - first) + startShrinkage);
    for (let i = first; i < end; i++) residuals[places[i]!] = start;
  }
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
