// What clients send to the embedded model, made once: encoding it is the client's matter, running it the server's.
import { defaultCodec, prepareCodec } from "../../packages/codec/dist/index.js";
import { loadModel, openTestImages } from "../../packages/inference/dist/index.js";
import { createTensor } from "../../packages/tensor/dist/index.js";

const variety = 64;
const maxSliceBytes = 1_100;

export const workloads = {
  image: "whole images, 784 B as they are; the server runs the whole network",
  cut: "the tensor at add_3, 64x14x14, in the default codec; the server runs the rest",
};

async function takeImages(model) {
  const images = [];
  for await (const { image } of await openTestImages(model.input, model.preprocess)) {
    images.push(image);
    if (images.length === variety) break;
  }
  return images;
}

/** The network that the server runs, the stream to open, and tensors to send. */
export async function openWorkload(name) {
  const model = await loadModel("fashion");
  const images = await takeImages(model);
  if (name === "image") {
    const { shape, layout } = model.input;
    const tensors = images.map((image) => createTensor("uint8", shape, Uint8Array.from(image.data), layout));
    const stream = { model: "fashion", spec: { dtype: "uint8", shape, layout }, codec: "raw" };
    return { network: model.network, stream, tensors, inputs: images };
  }
  const { head, tail } = await model.network.split(model.defaultCut);
  const engine = await head.load();
  const tensors = (await engine.runBatch(images)).map(([tensor]) => tensor);
  await engine.close();
  const { dtype, shape, layout } = tensors[0];
  const stream = {
    model: "fashion",
    split: model.defaultCut,
    spec: { dtype, shape, layout },
    codec: defaultCodec,
  };
  return { network: tail, stream, tensors, inputs: tensors };
}

/** The slices of each tensor, each as the first frame of a stream. */
export async function encodeTensors({ stream, tensors }) {
  const codec = await prepareCodec(stream.codec);
  return tensors.map(
    (tensor) => codec.createEncoder(stream.spec).encode(tensor, maxSliceBytes, { frame: 0 }).slices,
  );
}
