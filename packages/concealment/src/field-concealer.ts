import type { CutStatistics, NeighbourPredictors, PlaneGeometry } from "@sluice/tensor";
import { channelRanges } from "./channel-ranges.js";
import { channelMeans, type Gap } from "./gap.js";
import { type PredictorTables, relax, storeResiduals } from "./relax.js";
import { createResidualField, forgetGap, loadResiduals, type ResidualField } from "./residual-field.js";
import { roomForMeans } from "./room.js";
import { layOutTaps, ownChannelTaps, type TapTable } from "./tap-table.js";

/** Conceals by what stands around a gap. Its memory, about ten times the tensor's elements in bytes, is used again. */
export interface FieldConcealer {
  /** @param baseline what each element is where its neighbours say nothing */
  fill(gap: Gap, baseline: Float32Array): void;
}

/** Sweeps: the third still gains where whole channels are missing, further ones next to nothing. */
const sweeps = 3;

/**
 * What feature maps of residual networks gave on the average of channels: 0.385 and -0.14 were fitted at `add_10` of
 * ResNet-56. Below 0.5, so that sweeps converge.
 */
const besideWeight = 0.385;

function createFieldConcealer(
  geometry: PlaneGeometry,
  layOut: (field: ResidualField) => TapTable | PredictorTables,
): FieldConcealer {
  const field = createResidualField(geometry);
  const tables = layOut(field);
  return {
    fill(gap, baseline) {
      const isSpoiled = loadResiduals(field, gap, baseline);
      relax(field, baseline, tables, channelRanges(gap), sweeps);
      storeResiduals(field, baseline, gap.values);
      forgetGap(field, isSpoiled);
    },
  };
}

/** From the eight neighbours in the own channel, whatever the cut. */
export function createSpatialConcealer(geometry: PlaneGeometry): FieldConcealer {
  const flat = new Float32Array(geometry.channels).fill(1);
  const taps = ownChannelTaps(geometry.channels, besideWeight);
  return createFieldConcealer(geometry, (field) => layOutTaps(taps, flat, field));
}

/** From the elements of other channels around the same place, as calibration found that they depend on each other. */
export function createInterChannelConcealer(
  geometry: PlaneGeometry,
  { others }: NeighbourPredictors,
  { channelDeviation }: CutStatistics,
): FieldConcealer {
  return createFieldConcealer(geometry, (field) => layOutTaps(others, channelDeviation, field));
}

/** From all of them: the predictor is chosen for each element by what came around it. */
export function createNeighbourConcealer(
  geometry: PlaneGeometry,
  { near, own, others }: NeighbourPredictors,
  { channelDeviation }: CutStatistics,
): FieldConcealer {
  return createFieldConcealer(geometry, (field) => ({
    near: layOutTaps(near, channelDeviation, field),
    own: layOutTaps(own, channelDeviation, field),
    others: layOutTaps(others, channelDeviation, field),
  }));
}

/** The means of the gap's channels as a baseline; good until the next call. */
export function channelMeanBaseline(gap: Gap): Float32Array {
  const means = channelMeans(gap);
  const { channels, stride } = gap.axis;
  const baseline = roomForMeans(gap.values.length);
  for (let first = 0, channel = 0; first < baseline.length; first += stride) {
    if (stride === 1) baseline[first] = means[channel]!;
    else baseline.fill(means[channel]!, first, first + stride);
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
  return baseline;
}
