import { arch, cpus, platform } from "node:os";
import type { Codec } from "@sluice/codec";
import {
  type CutStatistics,
  convertTensor,
  isFloatDtype,
  type Tensor,
  TensorError,
  unpackTensors,
} from "@sluice/tensor";
import type { Cut } from "../cut.js";
import type { Engine } from "../engine.js";
import { findCut } from "../find-cut.js";
import type { Model } from "../model.js";
import type { EngineOptions } from "../network.js";
import { numbersOf } from "../numbers-of.js";
import type { ModelProfile, ProfiledOption } from "../profile-terms.js";
import { measureCodec } from "./measure-codec.js";
import { timeRuns } from "./time-runs.js";
import { measureDistribution, type ValueDistribution } from "./value-distribution.js";

/** What is measured. */
export interface ProfileOptions {
  /** Inputs of the model, used in turn; at least one. */
  readonly inputs: readonly Tensor[];
  /** Codecs of tensors at cuts, ready to use. */
  readonly codecs: readonly Codec[];
  /** Those where no tensor that crosses is of floats; by default the same. */
  readonly integerCodecs?: readonly Codec[];
  /** Codecs of the model's input, where the server runs all of it; `asBytes`: it holds pixels, which are sent as uint8. */
  readonly inputCodecs: readonly { readonly codec: Codec; readonly asBytes: boolean }[];
  /** Only these cuts; all where it is not said. */
  readonly splits?: readonly string[];
  /** Statistics of a cut, for codecs that want them. */
  readonly statistics: (split: string) => Promise<CutStatistics | undefined>;
  /** Timed runs of each part; at least 1. */
  readonly runs: number;
  readonly engine: EngineOptions;
  /** Milliseconds, of a clock that does not step. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number, split: string) => void;
}

/** What is known about a layer: a tensor at which the network can be cut. */
export interface LayerFigures {
  readonly split: string;
  readonly operation: string;
  readonly shape: readonly number[];
  /** Where several tensors cross: the shape of each. */
  readonly shapes?: readonly (readonly number[])[];
  readonly elements: number;
  /** As float32. */
  readonly uncompressedBytes: number;
  /** Payloads under the first codec that takes it, on average; null where none does. */
  readonly compressedBytes: number | null;
  /** Time to compute everything up to it. */
  readonly cumulativeMs: number;
  /** Share of the multiply-adds up to it, 0..1. */
  readonly workShare: number;
  readonly distribution: ValueDistribution;
}

/** A profile with what it was made from. */
export interface MeasuredProfile {
  readonly profile: ModelProfile;
  readonly layers: readonly LayerFigures[];
  /** Codecs that do not take a cut, with the reason. */
  readonly skipped: readonly { readonly split: string; readonly codec: string; readonly reason: string }[];
}

const nothingSent = { encodeMs: 0, bytes: 0, decodeMs: 0, accuracyKept: null };

/**
 * Measures the terms of the total inference time on this machine: for the whole network at the client, for its input
 * under each codec, and for each cut and codec.
 * @throws ModelError `unknown-name` for a split that is no cut, EngineError where the network does not run
 */
export async function measureProfile(model: Model, options: ProfileOptions): Promise<MeasuredProfile> {
  const { inputs, runs, now, signal } = options;
  const cuts = await chooseCuts(model, options.splits);
  const skipped: { split: string; codec: string; reason: string }[] = [];
  const measured: ProfiledOption[] = [];
  const layers: LayerFigures[] = [];
  const progress = (done: number, split: string) => options.onProgress?.(done, cuts.length + 1, split);

  /** What a codec makes of tensors; undefined where it does not take them. */
  const tryCodec = async (codec: Codec, tensors: readonly Tensor[], split: string) => {
    try {
      return await measureCodec(
        codec,
        tensors,
        split === "" ? undefined : await options.statistics(split),
        options,
      );
    } catch (error) {
      if (!(error instanceof TensorError)) throw error;
      skipped.push({ split, codec: codec.text, reason: error.message });
      return undefined;
    }
  };
  const timeEngine = (engine: Engine, tensors: readonly Tensor[]) =>
    timeRuns(tensors, runs, async (tensor) => (await engine.run([tensor]))[0]!, now);

  progress(0, "");
  const whole = await model.network.load(options.engine);
  try {
    const { medianMs } = await timeEngine(whole, inputs);
    measured.push({
      ...nothingSent,
      strategy: "client",
      split: "",
      codec: "",
      clientMs: medianMs,
      serverMs: 0,
    });
    for (const { codec, asBytes: pixels } of options.inputCodecs) {
      const coded = await tryCodec(
        codec,
        pixels ? inputs.map((input) => convertTensor(input, "uint8")) : inputs,
        "",
      );
      if (coded === undefined) continue;
      const { onPath: bytes } = coded;
      const [encodeMs, decodeMs] = [coded.encoding.medianMs, coded.decoding.medianMs];
      const server = await timeEngine(
        whole,
        coded.decoded.map((tensor) => convertTensor(tensor, model.input.dtype)),
      );
      const terms = { clientMs: 0, encodeMs, bytes, decodeMs, serverMs: server.medianMs, accuracyKept: null };
      measured.push({ strategy: "server", split: "", codec: codec.text, ...terms });
    }
  } finally {
    await whole.close();
  }

  for (const [i, cut] of cuts.entries()) {
    signal?.throwIfAborted();
    progress(i + 1, cut.name);
    const split = await model.network.split(cut.name);
    const engines = await Promise.all([split.head.load(options.engine), split.tail.load(options.engine)]);
    const [head, tail] = engines;
    try {
      const { medianMs: clientMs, results: tensors } = await timeEngine(head, inputs);
      let compressedBytes: number | null = null;
      const isFloat = (cut.crossing ?? [cut]).some(({ dtype }) => isFloatDtype(dtype));
      for (const codec of isFloat ? options.codecs : (options.integerCodecs ?? options.codecs)) {
        const coded = await tryCodec(codec, tensors, cut.name);
        if (coded === undefined) continue;
        const { payload, onPath: bytes, decoded } = coded;
        const [encodeMs, decodeMs] = [coded.encoding.medianMs, coded.decoding.medianMs];
        const { medianMs: serverMs } = await timeEngine(tail, decoded);
        compressedBytes ??= Math.round(payload);
        const terms = { clientMs, encodeMs, bytes, decodeMs, serverMs, accuracyKept: null };
        measured.push({ strategy: "shared", split: cut.name, codec: codec.text, ...terms });
      }
      layers.push(describeLayer(cut, clientMs, compressedBytes, tensors));
    } finally {
      await Promise.all(engines.map((engine) => engine.close()));
    }
  }
  progress(cuts.length + 1, "");
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}, ${platform()} ${arch()}`;
  return { profile: { version: 1, model: model.name, machine, options: measured }, layers, skipped };
}

async function chooseCuts(model: Model, splits: readonly string[] | undefined): Promise<Cut[]> {
  if (splits === undefined) return model.network.listCuts();
  const chosen: Cut[] = [];
  for (const name of splits) chosen.push(await findCut(model.network, name));
  return chosen;
}

function describeLayer(
  { name, operation, shape, elements, workShare, crossing }: Cut,
  cumulativeMs: number,
  compressedBytes: number | null,
  tensors: readonly Tensor[],
): LayerFigures {
  return {
    ...{
      split: name,
      operation,
      shape,
      elements,
      uncompressedBytes: 4 * elements,
      compressedBytes,
      cumulativeMs,
      workShare,
    },
    ...(crossing === undefined ? {} : { shapes: crossing.map((tensor) => tensor.shape) }),
    distribution: measureDistribution(tensors.flatMap((tensor) => valuesOf(tensor, crossing))),
  };
}

/** The numbers of a tensor; of a bundle those of its floats, which its own are not. */
function valuesOf(tensor: Tensor, crossing: Cut["crossing"]): ArrayLike<number>[] {
  if (crossing === undefined) return [tensor.data];
  const parts = unpackTensors(tensor, crossing);
  const floats = parts.filter(({ dtype }) => dtype.startsWith("float"));
  return (floats.length > 0 ? floats : parts).map((part) => numbersOf(part));
}
