/** What a client runs of a model for one strategy and cut, and the tensor that it sends. */
import {
  classify,
  type Engine,
  type LabelledImage,
  type Model,
  preprocessPresets,
  specOf,
} from "@sluice/inference";
import type { Strategy } from "@sluice/protocol";
import {
  convertTensor,
  createTensor,
  isFloatDtype,
  isTensor,
  specOfTensor,
  type Tensor,
  type TensorSpec,
} from "@sluice/tensor";
import { type EngineOptionValues, engineOptions } from "./provider-option.js";
import { createSlowDevice } from "./slow-device.js";
import { type HashedStatistics, readHashedStatistics } from "./statistics-hash.js";
import { hasFloats, integerCodec, suitedCodec } from "./suited-codec.js";

export interface ModelPart {
  readonly strategy: Strategy;
  /** Empty: the model's input. */
  readonly split: string;
  readonly spec: TensorSpec;
  /** What suits the tensor, finest first. */
  readonly codecs: readonly string[];
  readonly statistics: HashedStatistics | undefined;
  /** The tensor to be sent. */
  produce(image: LabelledImage): Promise<Tensor>;
  /** The index of the best class, where the whole network runs here; `undefined` where its output is empty. */
  classifyHere(image: LabelledImage): Promise<number | undefined>;
  close(): Promise<void>;
}

export interface ModelPartOptions extends EngineOptionValues {
  readonly strategy: Strategy;
  /** Looked at for `shared` only. */
  readonly split: string;
  /** Of the pixels sent by the strategy `server`. */
  readonly dtype?: "float32" | "uint8" | undefined;
  /** Each run takes so many times what it usually takes here, as on a slower device. */
  readonly slowdown?: number | undefined;
}

/** What suits a network's input, which has no statistics: 256 levels are a byte for each value. */
export const inputCodec = "quantize:levels=256,clip=4";
/** A picture as a picture, for inputs that are large enough to be worth it. */
export const pictureCodec = "quantize:levels=256,clip=4 | tile | jpeg:quality=90";
const pictureElements = 3_000;
/** A third of the default's bytes for about 1 % of the right answers. */
const coarseCodec = "quantize:levels=8,clip=3 | entropy";

/** @throws ModelError, EngineError */
export async function openModelPart(model: Model, options: ModelPartOptions): Promise<ModelPart> {
  return options.strategy === "server" ? serverPart(model, options) : computingPart(model, options);
}

function serverPart(model: Model, options: ModelPartOptions): ModelPart {
  const isBundle = model.inputs.length > 1;
  if (isBundle && options.dtype !== undefined)
    throw new RangeError("--dtype: a model with several inputs takes each in its own type");
  // Pixels that the network takes as they are travel as bytes.
  const isFloat = isFloatDtype(model.input.dtype);
  // Numbers of a vocabulary mean nothing once they are rounded.
  const unchanged = isFloat ? "float32" : model.input.dtype;
  const dtype = options.dtype ?? (takesPixels(model) ? "uint8" : unchanged);
  const spec = { ...specOf(model.input), dtype };
  const elements = spec.shape.reduce((product, size) => product * size, 1);
  const lossy = elements >= pictureElements ? [inputCodec, pictureCodec] : [inputCodec];
  return {
    ...{ strategy: "server", split: "", statistics: undefined, spec },
    codecs: dtype === "float32" && !isBundle ? lossy : [integerCodec],
    produce: async ({ image }) => convertTensor(image, dtype),
    classifyHere: () => Promise.reject(new Error("the network runs at the server")),
    async close() {},
  };
}

async function computingPart(model: Model, options: ModelPartOptions): Promise<ModelPart> {
  if (options.strategy === "client" && model.alphabet) {
    throw new RangeError(
      "--strategy: what a reader of text says is told by its server; use shared or server",
    );
  }
  const { strategy, split, slowdown = 1 } = options;
  const cut = strategy === "shared" ? await model.network.split(split) : undefined;
  const engine: Engine = await (cut?.head ?? model.network).load(engineOptions(options));
  // The first run allocates; no frame should wait for it.
  const input = specOf(model.input);
  const sample = [createTensor(input.dtype, input.shape, undefined, input.layout)];
  if (!cut) return wholePart(engine, input, sample, slowdown);
  const [output] = await engine.run(sample);
  const run = await createSlowDevice(engine, slowdown, sample);
  const statistics = await readHashedStatistics(model, split);
  const spec = specOfTensor(output!);
  return {
    ...{ strategy, split, statistics },
    spec,
    codecs: hasFloats(spec)
      ? [suitedCodec(spec), coarseCodec, ...(statistics && !spec.parts ? ["sluice"] : [])]
      : [integerCodec],
    async produce({ image }) {
      const [tensor] = await run([image]);
      return tensor!;
    },
    classifyHere: () => Promise.reject(new Error("a half says no class")),
    close: () => engine.close(),
  };
}

/** The whole network, whose outputs stay here and may be of any type and size. */
async function wholePart(
  engine: Engine,
  input: TensorSpec,
  sample: readonly Tensor[],
  slowdown: number,
): Promise<ModelPart> {
  const answering = {
    run: async (inputs: readonly Tensor[]) => (await engine.answer([inputs]))[0]!,
  };
  const [output] = await answering.run(sample);
  const run = await createSlowDevice(answering, slowdown, sample);
  return {
    ...{ strategy: "client", split: "", statistics: undefined, codecs: [] },
    spec:
      output && isTensor(output)
        ? { dtype: output.dtype, shape: output.shape, layout: output.layout }
        : input,
    produce: () => Promise.reject(new Error("nothing is sent where the network runs here")),
    async classifyHere({ image }) {
      const [logits] = await run([image]);
      return classify(logits!, [], 1)[0]?.label;
    },
    close: () => engine.close(),
  };
}

/** Whether its input is an image's pixels, unchanged. */
export function takesPixels({ input, preprocess }: Model): boolean {
  const { shape, layout } = input;
  const channels = layout === "hwc" ? shape[2] : shape[0];
  const isImage = shape.length === 3 && (channels === 1 || channels === 3);
  return isImage && isFloatDtype(input.dtype) && preprocess === preprocessPresets.none;
}
