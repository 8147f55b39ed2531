import { maxSlicePayloadBytes } from "@sluice/protocol";
import { momentsOf } from "@sluice/tensor";
import { openCodec } from "../accuracy/codec-under-test.mjs";
import { mean } from "../accuracy/quantile.mjs";
import { createWire } from "../accuracy/wire.mjs";
import { measure } from "./measure.mjs";

/**
 * The experiment of Ulhaq & Bajic, "Shared mobile-cloud inference for collaborative intelligence": every number of
 * levels with every clip width, each tensor in its own range.
 * @returns points with `levels`, `clip` (in standard deviations) and the figures of the rate experiment, to which
 *   `relativeError` was added: the squared error over the mean variance of the tensors
 */
export async function runQuantizer(workload, { levels, clips, datagram }, { signal, onPoint }) {
  const { network } = workload;
  const images = workload.images.map(({ label, base, tensor }) => ({ label, base, sent: tensor }));
  const variance = mean(images.map(({ sent }) => momentsOf(sent.data).deviation ** 2));
  const common = {
    ...{ images, network, signal, classify: network.tail },
    ...{ wire: createWire(datagram), maxPayloadBytes: maxSlicePayloadBytes(datagram) },
  };
  const points = [];
  for (const clip of clips) {
    for (const count of levels) {
      const codec = await openCodec(`quantize:levels=${count},clip=${clip},per=tensor`, network.spec);
      const figures = await measure({ ...common, codecs: [codec] });
      const relativeError = figures.meanSquaredError / variance;
      points.push({ text: codec.text, levels: count, clip, figures: { ...figures, relativeError } });
      onPoint(points.at(-1), levels.length * clips.length);
    }
  }
  return points;
}
