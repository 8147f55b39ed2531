import { defaultCodec } from "@sluice/codec";
import {
  classify,
  createSyntheticSource,
  type Engine,
  type ImageSource,
  type LabelledImage,
  loadModel,
  openSource,
  type Preprocess,
  parseSyntheticShape,
  preprocessPresets,
  specOf,
} from "@sluice/inference";
import type { Strategy } from "@sluice/protocol";
import { createTensor, type Tensor, type TensorSpec } from "@sluice/tensor";
import { asUsage, CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { type HashedStatistics, readHashedStatistics } from "./statistics-hash.js";

/** What the client does with an image before it is sent, and with what name it asks for the rest. */
export interface ClientHalf {
  /** The model as the server knows it. */
  readonly model: string;
  /** Empty: the model's input. */
  readonly split: string;
  readonly strategy: Strategy;
  readonly spec: TensorSpec;
  readonly codec: string;
  readonly statistics: HashedStatistics | undefined;
  readonly source: ImageSource;
  /** The tensor to be sent. */
  produce(image: LabelledImage): Promise<Tensor>;
  /** The index of the best class, where the whole network runs here. */
  classifyHere(image: LabelledImage): Promise<number>;
  close(): Promise<void>;
}

export interface ClientHalfOptions {
  /** `fashion`, a path to an .onnx file, or `sink`. */
  readonly model: string;
  readonly split: string | undefined;
  readonly strategy: Strategy;
  readonly source: string | undefined;
  /** Of synthetic tensors, and of the pixels sent by the strategy `server`. */
  readonly dtype: "float32" | "uint8" | undefined;
  readonly codec: string | undefined;
  readonly seed: number | undefined;
  readonly labels: string | undefined;
  readonly preprocess: keyof typeof preprocessPresets | undefined;
  readonly threads: number | undefined;
}

/** What suits a network's input, which has no statistics: 256 levels are a byte for each value. */
const inputCodec = "quantize:levels=256,clip=4";

/** Loads what the client needs. @throws ModelError, EngineError, TensorError */
export function openClientHalf(options: ClientHalfOptions): Promise<ClientHalf> {
  return options.model === "sink" ? openSink(options) : openModel(options);
}

async function openSink(options: ClientHalfOptions): Promise<ClientHalf> {
  const { source = "synthetic:28x28x128", dtype = "uint8", seed = 1 } = options;
  if (!source.startsWith("synthetic:")) {
    throw new CliError(ExitCode.usage, `--source: sink takes synthetic:HxWxC, got "${source}"`);
  }
  const shape = parseSyntheticShape(source.slice("synthetic:".length));
  asUsage(() => createTensor(dtype, shape));
  return {
    ...{ model: "sink", split: "", strategy: "shared", statistics: undefined },
    spec: { dtype, shape, layout: "chw" },
    codec: options.codec ?? "raw",
    source: repeatFirst(createSyntheticSource(shape, { dtype, seed, count: syntheticVariety })),
    produce: async ({ image }) => image,
    classifyHere: () => Promise.reject(new Error("sink runs no network")),
    async close() {},
  };
}

/** Making random tensors costs more than sending them; a few different ones are enough. */
const syntheticVariety = 8;

function repeatFirst(source: ImageSource): ImageSource {
  const made: LabelledImage[] = [];
  return {
    count: Number.POSITIVE_INFINITY,
    async *[Symbol.asyncIterator]() {
      if (made.length === 0) for await (const image of source) made.push(image);
      for (let i = 0; ; i++) yield made[i % made.length]!;
    },
  };
}

async function openModel(options: ClientHalfOptions): Promise<ClientHalf> {
  const { strategy } = options;
  const preprocess: Preprocess | undefined = options.preprocess && preprocessPresets[options.preprocess];
  const model = await loadModel(options.model, {
    ...(options.labels ? { labelsPath: options.labels } : {}),
    ...(preprocess ? { preprocess } : {}),
  });
  const sourceName = options.source ?? "test-images";
  const source = await openSource(
    sourceName,
    model,
    options.seed === undefined ? {} : { seed: options.seed },
  );
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  const common = { model: model.name, strategy, source };

  if (strategy === "server") {
    // Pixels that the network takes as they are travel as bytes.
    const isPixels = model.preprocess === preprocessPresets.none;
    const dtype = options.dtype ?? (isPixels ? "uint8" : "float32");
    return {
      ...{ ...common, split: "", statistics: undefined, spec: { ...specOf(model.input), dtype } },
      codec: options.codec ?? (dtype === "uint8" ? "raw" : inputCodec),
      produce: async ({ image }) => (dtype === "uint8" ? asBytes(image) : image),
      classifyHere: () => Promise.reject(new Error("the network runs at the server")),
      async close() {},
    };
  }

  const split = options.split ?? model.defaultCut;
  if (strategy === "shared" && split === undefined) {
    throw new RangeError(
      `--split: ${options.model} has no default; \`sluice inspect ${options.model}\` lists the tensors where it can be cut`,
    );
  }
  const cut = strategy === "shared" ? await model.network.split(split!) : undefined;
  const engine: Engine = await (cut?.head ?? model.network).load(threads);
  // The first run allocates; no frame should wait for it.
  const input = specOf(model.input);
  const [output] = await engine.run([createTensor(input.dtype, input.shape, undefined, input.layout)]);
  const statistics = cut ? await readHashedStatistics(model, split!) : undefined;
  return {
    ...{ ...common, split: cut ? split! : "", statistics },
    spec: { dtype: output!.dtype, shape: output!.shape, layout: output!.layout },
    codec: options.codec ?? (output!.dtype === "float32" ? defaultCodec : "raw"),
    async produce({ image }) {
      const [tensor] = await engine.run([image]);
      return tensor!;
    },
    async classifyHere({ image }) {
      const [logits] = await engine.run([image]);
      return classify(logits!, [], 1)[0]!.label;
    },
    close: () => engine.close(),
  };
}

function asBytes(image: Tensor): Tensor {
  return createTensor("uint8", image.shape, Uint8Array.from(image.data), image.layout);
}
