/** The ways to run the network that the choice of a strategy leaves. */
import type { AdaptiveCandidate } from "@sluice/client";
import { prepareCodec } from "@sluice/codec/prepare";
import { classify, preprocessPresets } from "@sluice/inference/web";
import { createTensor, type Tensor } from "@sluice/tensor";
import type { ModelSummary } from "../model-summary.js";
import type { ModelParts } from "./model-parts.js";
import type { Settings } from "./settings.js";

/** A frame on its way: what came in, and what left for the server, to be looked at. */
export interface StreamedImage {
  readonly image: Tensor;
  sent?: Tensor;
}

/** First guesses in milliseconds; what is measured takes their place. */
const guesses = { encodeMs: 0.3, decodeMs: 0.3, serverMs: 2 };

/** @throws what the server says of the cut, TensorError for a codec that cannot be read */
export async function planCandidates(
  settings: Settings,
  model: ModelSummary,
  parts: ModelParts,
): Promise<AdaptiveCandidate<StreamedImage>[]> {
  const { strategy } = settings;
  const wanted = strategy === "auto" ? (["shared", "server", "client"] as const) : [strategy];
  return Promise.all(
    wanted.map((choice) => {
      if (choice === "client") return planClient(model, parts);
      return choice === "server" ? planServer(settings, model) : planShared(settings, model, parts);
    }),
  );
}

async function planClient(model: ModelSummary, parts: ModelParts): Promise<AdaptiveCandidate<StreamedImage>> {
  const whole = await parts.get("");
  return {
    ...{ name: "here", strategy: "client" },
    terms: { clientMs: whole.runMs, encodeMs: 0, bytes: 0, decodeMs: 0, serverMs: 0 },
    async run({ image }) {
      const predictions = classify(await whole.run(image), model.labels);
      return {
        predictions: predictions.map(({ label, name, probability }) => ({
          ...{ name: String(label), description: name, score: probability },
        })),
      };
    },
  };
}

async function planServer(
  settings: Settings,
  model: ModelSummary,
): Promise<AdaptiveCandidate<StreamedImage>> {
  const { shape, layout } = model.input;
  const known = shape.map((size) => size ?? 1);
  // Pixels that the network takes as they are travel as bytes.
  const isPixels = JSON.stringify(model.preprocess) === JSON.stringify(preprocessPresets.none);
  const dtype = isPixels ? "uint8" : model.input.dtype;
  const { fec, concealment } = settings;
  const elements = known.reduce((product, size) => product * size, 1);
  return {
    ...{ name: "at the server", strategy: "server", terms: { clientMs: 0, bytes: elements, ...guesses } },
    stream: {
      ...{ fec, concealment, model: model.name, spec: { dtype, shape: known, layout } },
      codec: isPixels ? "raw" : "quantize:levels=256,clip=4",
    },
    produce(frame) {
      const { image } = frame;
      frame.sent = isPixels
        ? createTensor("uint8", image.shape, Uint8Array.from(image.data), image.layout)
        : image;
      return frame.sent;
    },
  };
}

async function planShared(
  settings: Settings,
  model: ModelSummary,
  parts: ModelParts,
): Promise<AdaptiveCandidate<StreamedImage>> {
  const part = await parts.get(settings.cut);
  const layout = part.outputShape.length === 3 ? ("chw" as const) : ("any" as const);
  const spec = { dtype: "float32" as const, shape: part.outputShape, layout };
  // Image libraries are loaded once, from beside the worker's script.
  const codec = await prepareCodec(settings.codec, { locate: (file) => `/${file}` });
  const bytes = codec
    .createEncoder(spec, part.statistics?.value)
    .encode(createTensor("float32", spec.shape, undefined, layout), 1_150)
    .slices.reduce((sum, { payload }) => sum + payload.length, 0);
  const { fec, concealment } = settings;
  return {
    ...{ name: "cut in two", strategy: "shared", terms: { clientMs: part.runMs, bytes, ...guesses } },
    stream: {
      ...{ fec, concealment, model: model.name, split: settings.cut, spec, codec },
      ...(part.statistics ? { statistics: part.statistics } : {}),
    },
    async produce(frame) {
      frame.sent = await part.run(frame.image);
      return frame.sent;
    },
  };
}
