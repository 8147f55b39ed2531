import {
  createSyntheticSource,
  type ImageSource,
  type LabelledImage,
  loadModel,
  type Model,
  type OpenSourceOptions,
  openSources,
  type Preprocess,
  type ProviderChoice,
  parseSyntheticShape,
  preprocessPresets,
  repeatFirst,
} from "@sluice/inference";
import type { Strategy } from "@sluice/protocol";
import { modelReference } from "@sluice/server";
import { createTensor, type Tensor, type TensorSpec } from "@sluice/tensor";
import { asUsage, CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { parseModelEntry } from "./model-entry.js";
import { openModelPart } from "./model-part.js";
import type { HashedStatistics } from "./statistics-hash.js";

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
  /** The index of the best class, where the whole network runs here; `undefined` where its output is empty. */
  classifyHere(image: LabelledImage): Promise<number | undefined>;
  close(): Promise<void>;
}

export interface ClientHalfOptions {
  /** `[NAME[@VERSION]=]MODEL`: a name or path, and the name by which the server knows it; or `sink`. */
  readonly model: string;
  readonly split: string | undefined;
  readonly strategy: Strategy;
  /** For each what `--source` says; `undefined`: what suits the model. */
  readonly source: readonly string[] | undefined;
  /** Of synthetic tensors, and of the pixels sent by the strategy `server`. */
  readonly dtype: "float32" | "uint8" | undefined;
  readonly codec: string | undefined;
  readonly seed: number | undefined;
  readonly labels: string | undefined;
  readonly preprocess: keyof typeof preprocessPresets | undefined;
  readonly threads: number | undefined;
  readonly provider?: ProviderChoice | undefined;
  /** How many times slower than this machine the client is to be; 1 where it is not said. */
  readonly slowdown?: number;
  /** Takes a line about an image that is left out. */
  readonly onNotice?: ((line: string) => void) | undefined;
}

/** Loads what the client needs. @throws ModelError, EngineError, TensorError */
export function openClientHalf(options: ClientHalfOptions): Promise<ClientHalf> {
  return options.model === "sink" ? openSink(options) : openModel(options);
}

async function openSink(options: ClientHalfOptions): Promise<ClientHalf> {
  const { source: [source = "", ...others] = ["synthetic:28x28x128"], dtype = "uint8", seed = 1 } = options;
  if (!source.startsWith("synthetic:") || others.length > 0) {
    throw new CliError(ExitCode.usage, `--source: sink takes synthetic:HxWxC, got "${source}"`);
  }
  const shape = parseSyntheticShape(source.slice("synthetic:".length));
  asUsage(() => createTensor(dtype, shape));
  return {
    ...{ model: "sink", split: "", strategy: "shared", statistics: undefined },
    spec: { dtype, shape, layout: "chw" },
    codec: options.codec ?? "raw",
    source: repeatFirst(createSyntheticSource(shape, { dtype, seed })),
    produce: async ({ image }) => image,
    classifyHere: () => Promise.reject(new Error("sink runs no network")),
    async close() {},
  };
}

/** A model and what is fed to it. */
export interface Workload {
  readonly model: Model;
  readonly source: ImageSource;
}

/** Reads the model and opens the source. @throws ModelError, RangeError naming the option */
export async function openWorkload(
  options: Pick<ClientHalfOptions, "model" | "source" | "seed" | "labels" | "preprocess" | "onNotice">,
): Promise<Workload> {
  const preprocess: Preprocess | undefined = options.preprocess && preprocessPresets[options.preprocess];
  const { name, version, reference } = parseModelEntry(options.model);
  const read = await loadModel(reference, {
    ...(options.labels ? { labelsPath: options.labels } : {}),
    ...(preprocess ? { preprocess } : {}),
  });
  const model = name === undefined ? read : { ...read, name: modelReference({ name, version }) };
  const opening = { ...(options.seed === undefined ? {} : { seed: options.seed }), ...noticing(options) };
  return { model, source: await openSources(options.source ?? [defaultSource(model)], model, opening) };
}

/** What is left out is told once, however often the source begins again. */
function noticing({
  onNotice,
}: Pick<ClientHalfOptions, "onNotice">): Pick<OpenSourceOptions, "onUnreadable"> {
  if (!onNotice) return {};
  const told = new Set<string>();
  return {
    onUnreadable({ message }) {
      if (told.has(message)) return;
      told.add(message);
      onNotice(`left out: ${message}`);
    },
  };
}

/** The images that are there for the embedded model; for others, noise that they take. */
export function defaultSource({ defaultCut, input }: Model): string {
  return defaultCut !== undefined && input.shape.join("x") === "1x28x28" ? "test-images" : "synthetic";
}

async function openModel(options: ClientHalfOptions): Promise<ClientHalf> {
  const { model, source } = await openWorkload(options);
  const split = options.split ?? model.defaultCut;
  if (options.strategy === "shared" && split === undefined) {
    const { reference } = parseModelEntry(options.model);
    throw new RangeError(
      `--split: ${reference} has no default; \`sluice inspect ${reference}\` lists the tensors where it can be cut`,
    );
  }
  const part = await openModelPart(model, { ...options, split: split ?? "" });
  return { ...part, model: model.name, source, codec: options.codec ?? part.codecs[0] ?? "raw" };
}
