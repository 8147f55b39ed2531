/** The ways to run a model that `--strategy auto` chooses among, with what each costs on this machine. */
import { prepareCodec } from "@sluice/codec";
import {
  chooseCuts,
  type LabelledImage,
  type Model,
  type ModelProfile,
  measureCodec,
  type ProviderChoice,
  specOf,
  timeRuns,
} from "@sluice/inference";
import { type InferenceTerms, type Strategy, strategies } from "@sluice/protocol";
import { elementCount, type Tensor, TensorError } from "@sluice/tensor";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { type ModelPart, openModelPart } from "./model-part.js";

export interface ModelCandidate {
  readonly name: string;
  readonly strategy: Strategy;
  readonly part: ModelPart;
  /** Empty where nothing is sent. */
  readonly codec: string;
  readonly terms: InferenceTerms;
  readonly worth: number;
}

export interface CandidateOptions {
  /** Tensors separated by commas; by default the model's own and those that carry less and less. */
  readonly split: string | undefined;
  readonly codec: string | undefined;
  readonly threads: number | undefined;
  readonly provider?: ProviderChoice | undefined;
  readonly slowdown?: number | undefined;
  readonly profile: ModelProfile | undefined;
  readonly signal: AbortSignal;
}

/** Cuts that are loaded at once, each a network of its own. */
const maxCuts = 3;
/** Until a profile says more, each coarser codec is taken to cost so much of the right answers. */
const assumedCost = 0.01;

/** @throws ModelError, EngineError, TensorError, CliError */
export async function openCandidates(
  model: Model,
  images: readonly LabelledImage[],
  options: CandidateOptions,
): Promise<readonly ModelCandidate[]> {
  const parts: ModelPart[] = [];
  try {
    parts.push(await openPart(model, "client", "", options));
    parts.push(await openPart(model, "server", "", options));
    for (const split of await findSplits(model, options)) {
      parts.push(await openPart(model, "shared", split, options));
    }
    return await measureParts(parts, images, options);
  } catch (error) {
    await Promise.all(parts.map((part) => part.close()));
    throw error;
  }
}

function openPart(model: Model, strategy: Strategy, split: string, options: CandidateOptions) {
  if (options.signal.aborted) throw new CliError(ExitCode.interrupted, "interrupted");
  const { threads, provider, slowdown } = options;
  return openModelPart(model, { strategy, split, threads, provider, slowdown });
}

async function findSplits(model: Model, { split, profile }: CandidateOptions): Promise<readonly string[]> {
  if (split !== undefined) return split.split(",").map((name) => name.trim());
  if (profile) {
    const cuts = profile.options
      .filter(({ strategy }) => strategy === "shared")
      .map((option) => option.split);
    return [...new Set(cuts)].slice(0, maxCuts);
  }
  const inputElements = model.inputs.reduce((sum, input) => sum + elementCount(specOf(input).shape), 0);
  const chosen = chooseCuts(await model.network.listCuts(), inputElements, maxCuts);
  const names = chosen.map(({ name }) => name);
  return [...new Set([...(model.defaultCut ? [model.defaultCut] : []), ...names])].slice(0, maxCuts);
}

async function measureParts(
  parts: readonly ModelPart[],
  images: readonly LabelledImage[],
  options: CandidateOptions,
): Promise<readonly ModelCandidate[]> {
  const [whole] = parts;
  const { bestMs: wholeMs } = await measure(images, (image) => whole!.classifyHere(image));
  const nothing = { encodeMs: 0, bytes: 0, decodeMs: 0, serverMs: 0 };
  const candidates: ModelCandidate[] = [
    {
      ...{ name: "client", strategy: "client", part: whole!, codec: "", worth: 1 },
      terms: { clientMs: wholeMs, ...nothing },
    },
  ];
  // What the server is quicker or slower than this machine is learnt from its first results.
  const serverWholeMs = wholeMs / (options.slowdown ?? 1);
  for (const part of parts.slice(1)) {
    const { bestMs, results: tensors } = await measure(images, (image) => part.produce(image));
    const partMs = part.strategy === "server" ? 0 : bestMs;
    const serverMs = Math.max(0.1, serverWholeMs - partMs / (options.slowdown ?? 1));
    const codecs = options.codec === undefined ? part.codecs : [options.codec];
    for (const [rank, text] of codecs.entries()) {
      const coded = await measurePartCodec(part, text, tensors, options.codec !== undefined);
      if (!coded) continue;
      const name = part.strategy === "server" ? `server ${coded.text}` : `${part.split} ${coded.text}`;
      candidates.push({
        ...{ name, strategy: part.strategy, part, codec: coded.text, worth: 1 - rank * assumedCost },
        terms: { clientMs: partMs, serverMs, ...coded.terms },
      });
    }
  }
  return candidates.map((candidate) => withProfile(candidate, options.profile));
}

/** Undefined where a codec of our choice does not suit the tensor; one that was asked for must. */
async function measurePartCodec(part: ModelPart, text: string, tensors: readonly Tensor[], isAsked: boolean) {
  try {
    const codec = await prepareCodec(text);
    const settings = { runs: tensors.length, now: () => performance.now() };
    const measured = await measureCodec(codec, tensors, part.statistics?.value, settings);
    const { encoding, decoding, onPath: bytes } = measured;
    return { text: codec.text, terms: { encodeMs: encoding.bestMs, bytes, decodeMs: decoding.bestMs } };
  } catch (error) {
    if (isAsked || !(error instanceof TensorError)) throw error;
    return undefined;
  }
}

/** The best time counts: what others take of the machine is load. With what came of each input. */
function measure<In, Out>(inputs: readonly In[], run: (input: In) => Out | Promise<Out>) {
  return timeRuns(inputs, inputs.length, run, () => performance.now());
}

/** Figures of a profile go before those of a moment; what it does not have stays. */
function withProfile(candidate: ModelCandidate, profile: ModelProfile | undefined): ModelCandidate {
  const found = profile?.options.find(
    ({ strategy, split, codec }) =>
      strategy === candidate.strategy && split === candidate.part.split && codec === candidate.codec,
  );
  if (!found) return candidate;
  const { clientMs, encodeMs, bytes, decodeMs, serverMs, accuracyKept } = found;
  return {
    ...candidate,
    terms: { clientMs, encodeMs, bytes, decodeMs, serverMs },
    worth: accuracyKept ?? candidate.worth,
  };
}

/** @throws CliError where it is no profile of this version */
export function parseProfile(text: string, path: string): ModelProfile {
  const fault = (what: string) => new CliError(ExitCode.usage, `--profile: ${path}: ${what}`);
  let profile: ModelProfile;
  try {
    profile = JSON.parse(text) as ModelProfile;
  } catch {
    throw fault("is not JSON");
  }
  if (profile?.version !== 1) throw fault("version: must be 1; `sluice profile --json` writes it");
  if (!Array.isArray(profile.options)) throw fault("options: must be a list");
  for (const [i, option] of profile.options.entries()) {
    if (!strategies.includes(option?.strategy))
      throw fault(`options[${i}].strategy: must be one of ${strategies.join(", ")}`);
    for (const field of ["split", "codec"] as const) {
      if (typeof option[field] !== "string") throw fault(`options[${i}].${field}: must be a text`);
    }
    for (const field of ["clientMs", "encodeMs", "bytes", "decodeMs", "serverMs"] as const) {
      const value: unknown = option[field];
      if (!(typeof value === "number" && value >= 0))
        throw fault(`options[${i}].${field}: must be a number of at least 0`);
    }
  }
  return profile;
}
