import {
  type ChannelAxis,
  type CutStatistics,
  channelAxis,
  checkBundle,
  checkSpec,
  elementCount,
  type PlaneGeometry,
  planeGeometry,
  readFloat32,
  type Tensor,
  TensorError,
  type TensorSpec,
  writeFloat32Element,
} from "@sluice/tensor";
import { createBundleConcealer } from "./bundle-concealer.js";
import type { Concealer, ConcealmentReference } from "./concealer-api.js";
import type { ConcealmentMethod } from "./concealment-method.js";
import {
  channelMeanBaseline,
  createInterChannelConcealer,
  createNeighbourConcealer,
  createSpatialConcealer,
  type FieldConcealer,
} from "./field-concealer.js";
import { channelMeans, fillByChannel, fillFrom, type Gap, listGaps } from "./gap.js";
import { fillHybrid } from "./hybrid.js";
import { compensateMotion } from "./motion-compensation.js";
import { roomForBaseline, roomForReference, roomForValues } from "./room.js";
import { temporalBaseline } from "./temporal.js";

export interface ConcealmentOptions {
  /** What calibration knows of the cut; `needsStatistics` says which methods cannot do without. */
  readonly statistics?: CutStatistics;
}

function checkStatistics(statistics: CutStatistics, elements: number, channels: number): void {
  if (statistics.meanElement.length !== elements) {
    const { length } = statistics.meanElement;
    throw new TensorError("statistics.meanElement", `${length} elements, the tensor has ${elements}`);
  }
  if (statistics.channelMean.length !== channels) {
    const { length } = statistics.channelMean;
    throw new TensorError("statistics.channelMean", `of ${length} channels, the tensor has ${channels}`);
  }
}

/** Fills a gap; made once for a spec, so that what it needs each time is there. */
type Fill = (gap: Gap) => void;

/** What is made of the spec the first time that something is missing: most streams lose nothing. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function planMeans(statistics: CutStatistics | undefined): (gap: Gap) => Float32Array {
  return statistics ? () => statistics.meanElement : channelMeanBaseline;
}

function planAuto(geometry: PlaneGeometry | undefined, statistics: CutStatistics | undefined): Fill {
  const means = planMeans(statistics);
  const concealer = once((): FieldConcealer | undefined => {
    if (!geometry) return undefined;
    return statistics?.neighbours
      ? createNeighbourConcealer(geometry, statistics.neighbours, statistics)
      : createSpatialConcealer(geometry);
  });
  return (gap) => {
    const expected = means(gap);
    const baseline = gap.reference ? roomForBaseline(gap.values.length) : expected;
    if (gap.reference) temporalBaseline(gap, expected, gap.reference, baseline);
    const field = concealer();
    if (field) field.fill(gap, baseline);
    else fillFrom(gap, baseline);
  };
}

function planFill(
  method: ConcealmentMethod,
  geometry: PlaneGeometry | undefined,
  statistics: CutStatistics | undefined,
): Fill {
  const needed = (): CutStatistics => {
    if (!statistics) throw new TensorError("statistics", `${method} needs the statistics of the cut`);
    return statistics;
  };
  switch (method) {
    case "auto":
      return planAuto(geometry, statistics);
    case "zero":
      return ({ values, gaps }) => {
        for (let at = 0; at < gaps.length - 1; at++) values[gaps[at]!] = 0;
      };
    case "channel-mean":
      return (gap) => fillByChannel(gap, channelMeans(gap));
    case "data-set-mean": {
      const { meanElement } = needed();
      return (gap) => fillFrom(gap, meanElement);
    }
    case "hybrid": {
      const { meanElement } = needed();
      return (gap) => fillHybrid(gap, meanElement);
    }
    case "spatial": {
      const concealer = once(() => geometry && createSpatialConcealer(geometry));
      return (gap) => {
        const baseline = channelMeanBaseline(gap);
        const field = concealer();
        if (field) field.fill(gap, baseline);
        else fillFrom(gap, baseline);
      };
    }
    case "inter-channel": {
      const known = needed();
      const { neighbours, meanElement } = known;
      if (!neighbours || !geometry) {
        throw new TensorError("statistics.neighbours", "inter-channel needs them, and a layout with planes");
      }
      const concealer = once(() => createInterChannelConcealer(geometry, neighbours, known));
      return (gap) => concealer().fill(gap, meanElement);
    }
    case "temporal": {
      const means = planMeans(statistics);
      return (gap) => fillFrom(gap, gap.reference ?? means(gap));
    }
  }
}

function checkSame(field: "tensor" | "reference", tensor: Tensor, spec: TensorSpec): void {
  const isAlike =
    tensor.dtype === spec.dtype &&
    tensor.layout === spec.layout &&
    tensor.shape.length === spec.shape.length &&
    tensor.shape.every((size, i) => size === spec.shape[i]) &&
    tensor.data.length === elementCount(spec.shape);
  if (!isAlike) throw new TensorError(field, "of another spec than the concealer");
}

/** The elements as float32: the tensor's own, or a conversion that is good until the next call. */
function readAll(tensor: Tensor, room: (length: number) => Float32Array): Float32Array {
  const { data } = tensor;
  if (data instanceof Float32Array) return data;
  return readFloat32(tensor, 0, data.length, room(data.length));
}

function prepareReference(
  reference: ConcealmentReference | undefined,
  spec: TensorSpec,
  geometry: PlaneGeometry | undefined,
): Float32Array | undefined {
  if (!reference) return undefined;
  checkSame("reference", reference.tensor, spec);
  const values = readAll(reference.tensor, roomForReference);
  if (!reference.motion) return values;
  if (!geometry) throw new TensorError("motion", `the layout ${spec.layout} has no rows and columns`);
  return compensateMotion(values, geometry, reference.motion, reference.framesBefore ?? 1);
}

/**
 * Prepares to conceal tensors of a spec.
 *
 * - `auto`: by whatever is known, best of all where the statistics have `neighbours`. Around each missing element the
 *   deviations of its neighbours in its own and in other channels from what is expected tell its own, by calibrated linear
 *   predictors; of a place of whose channel nothing came, by those that look at other channels only. What is expected is the
 *   mean element, and of an earlier tensor so much as what came confirms, region by region. Without statistics, the mean
 *   of the channel and `spatial`'s predictor take their places.
 * - `zero`: with 0.
 * - `channel-mean`: with the mean of what came of the same channel of this tensor. Of a channel of which nothing came,
 *   with the statistics' mean of the channel if they are given, else with the mean of all that came, else with 0.
 * - `data-set-mean`: with the element's own mean over a data set, from the statistics.
 * - `hybrid`: with the element's own mean, moved as the channel's mean in this tensor differs from that of the data set.
 * - `spatial`: from the eight neighbours in the same channel, over and over, beginning with the channel's mean: a separable
 *   first-order autoregression.
 * - `inter-channel`: from the neighbours in other channels, by the statistics' predictors.
 * - `temporal`: with the element of an earlier tensor; without one, with the mean that `auto` begins with.
 *
 * `zero`, the means and `hybrid` are those of Ulhaq & Bajic, "Shared mobile-cloud inference for collaborative
 * intelligence" (they found i.i.d. losses of 5, 10 and 20 % to cost 0.2, 2 and 5 % accuracy). That missing features are
 * better told from their neighbours in space and in other channels is found in Bragilevsky & Bajic, "Tensor completion
 * methods for collaborative intelligence", 2020; the conditional mean by sweeps is Besag's, of Gauss-Markov fields.
 *
 * NaN and infinities that came stay where they are and count for nothing. For integers, what is found is rounded and
 * clamped. Of a bundle that names its tensors, each is concealed by itself (`createBundleConcealer`). `auto`, `spatial` and `inter-channel` stay within the range of each channel that calibration saw (else that came).
 * @throws TensorError if the statistics are of another size than the spec, or a method needs some that are not given
 */
export function createConcealer(
  spec: TensorSpec,
  method: ConcealmentMethod,
  { statistics }: ConcealmentOptions = {},
): Concealer {
  checkSpec(spec);
  checkBundle(spec);
  if (spec.parts) return createBundleConcealer(spec, spec.parts, method, createConcealer);
  const elements = elementCount(spec.shape);
  const axis: ChannelAxis = channelAxis(spec.shape, spec.layout);
  const geometry = planeGeometry(spec.shape, spec.layout);
  if (statistics) checkStatistics(statistics, elements, axis.channels);
  const fill = planFill(method, geometry, statistics);
  return {
    method,
    conceal(tensor, missing, reference) {
      checkSame("tensor", tensor, spec);
      if (missing.length !== elements) {
        throw new TensorError("missing", `${missing.length} elements, the tensor has ${elements}`);
      }
      const earlier = prepareReference(reference, spec, geometry);
      const values = readAll(tensor, roomForValues);
      const gaps = listGaps(missing);
      fill({ values, missing, gaps, axis, geometry, statistics, reference: earlier });
      if (values === tensor.data) return;
      // What came stays as it was, bit for bit: an int32 does not survive the way through float32.
      for (let at = 0; at < gaps.length - 1; at++) {
        const i = gaps[at]!;
        writeFloat32Element(tensor, i, values[i]!);
      }
    },
  };
}
