import { maxSlicePayloadBytes } from "@sluice/protocol";
import { psnr } from "@sluice/tensor";
import { openCodec } from "../accuracy/codec-under-test.mjs";
import { expandSweep } from "../accuracy/expand-sweep.mjs";
import { mean } from "../accuracy/quantile.mjs";
import { createWire } from "../accuracy/wire.mjs";
import { findClips } from "./motion/find-clips.mjs";
import { largerImages, windowOf } from "./motion/moved-images.mjs";

const defaultChain = "quantize:levels={4,8,16,32},clip=4,per=tensor";
/** Pixels that the window moves over a still image, to and fro, a frame of the clip that needs no data. */
const pannedPixels = 24;

/** A still image of which a window moves by a pixel with each frame. */
async function* panned({ model, source }, { seed, clipsLimit }) {
  for await (const image of largerImages({ model, source }, pannedPixels, seed, 1)) {
    for (let frame = 0; frame < clipsLimit; frame++) {
      const at = frame % (2 * pannedPixels);
      const left = Math.min(at, 2 * pannedPixels - at);
      yield windowOf(image, model, pannedPixels / 2, left);
    }
  }
}

async function headsOf(frames, network, signal) {
  const tensors = [];
  for await (const frame of frames) {
    signal.throwIfAborted();
    tensors.push((await network.head([frame]))[0]);
  }
  const classes = [];
  await network.inBatches(tensors, async (batch) => classes.push(...(await network.tail(batch))));
  return { tensors, classes };
}

/** Sends the tensors of a clip in order; those before are acknowledged `delay` frames later, or never. */
async function measureStream({ tensors, classes }, codec, { wire, maxPayloadBytes, network, signal, delay }) {
  const found = { bytes: [], psnr: [] };
  let agreeing = 0;
  await network.inBatches(tensors, async (batch, first) => {
    signal.throwIfAborted();
    const decoded = batch.map((tensor, i) => {
      if (delay !== undefined && first + i >= delay) codec.acknowledge(delay - 1);
      const { arrived, bytes } = wire.send(codec.encode(tensor, maxPayloadBytes));
      const restored = codec.decode(arrived).tensor;
      found.bytes.push(bytes);
      found.psnr.push(psnr(tensor.data, restored.data));
      return restored;
    });
    const labels = await network.tail(decoded);
    agreeing += labels.filter((label, i) => label === classes[first + i]).length;
  });
  const finite = found.psnr.filter(Number.isFinite);
  return {
    ...{ bytes: mean(found.bytes), firstBytes: found.bytes[0], n: tensors.length },
    psnrDb: finite.length === 0 ? null : mean(finite),
    agreement: agreeing / tensors.length,
  };
}

/**
 * Chains on tensors that follow one another: those of the clips in the data folder and of a window that moves over a
 * still image. Each chain runs on its own frames alone (`intra`) and, where it predicts, from frames that the receiver
 * acknowledged `--delay` frames ago (`inter`).
 * @returns points with `clip`, `mode`, `series` and the figures
 */
export async function runStream(workload, options, { signal, onPoint }) {
  const { network, statistics } = workload;
  const chains = options.codecs ?? expandSweep(defaultChain);
  const common = {
    ...{ network, signal, wire: createWire(options.datagram) },
    maxPayloadBytes: maxSlicePayloadBytes(options.datagram),
  };
  const { skipped, clips = [] } = await findClips(options, workload);
  const all = [{ name: "a still image, panned", frames: () => panned(workload, options) }, ...clips];
  const points = [];
  for (const { name, frames } of all) {
    const heads = await headsOf(frames(), network, signal);
    for (const { text, series } of chains) {
      const { predicts } = await openCodec(text, network.spec, { statistics });
      for (const mode of predicts ? ["intra", "inter"] : ["intra"]) {
        const codec = await openCodec(text, network.spec, { statistics });
        const delay = mode === "inter" ? options.delay : undefined;
        const figures = await measureStream(heads, codec, { ...common, delay });
        points.push({
          kind: "stream",
          text: `${codec.text}, ${mode}, ${name}`,
          chain: codec.text,
          series,
          clip: name,
          mode,
          figures,
        });
        onPoint(points.at(-1), 2 * chains.length * all.length);
      }
    }
  }
  return skipped === undefined ? points : [...points, { kind: "skipped", text: "clips", reason: skipped }];
}
