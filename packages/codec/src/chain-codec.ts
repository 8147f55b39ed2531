import { type CutStatistics, checkSpec, elementCount, TensorError, type TensorSpec } from "@sluice/tensor";
import type { BundleCoders } from "./bundle-coders.js";
import { type Chain, planChain } from "./chain.js";
import type { Codec } from "./codec.js";
import { maxInterleavedElements } from "./interleave/dealing-order.js";
import {
  type Arrangement,
  arrangeChannels,
  arrangeElements,
  arrangeRows,
} from "./interleave/interleaved-order.js";
import { type Interleaving, parseInterleaving } from "./interleave/interleaving.js";
import { createSliceDecoder } from "./slice-decoder.js";
import { createSliceEncoder } from "./slice-encoder.js";
import type { Stage } from "./stage.js";
import { pack } from "./stages/pack.js";
import { elementOrder } from "./unit-order.js";

/** The longest text of a codec, in characters. */
export const maxCodecTextLength = 256;

/** What follows each kind, for the message about a chain that goes wrong there. */
const takers = {
  tensor: "transform, raw, quantize or integers",
  symbols: "predict, tile or entropy, or nothing",
  plane: "jpeg, jpeg2000 or htj2k",
  bytes: "nothing",
} as const;

/**
 * The codec that a chain of stages is.
 * @param bundles for streams of bundles; without it there are none
 * @throws TensorError naming the stage that does not fit behind the one before it
 */
export function createChainCodec(named: readonly Stage[], bundles?: BundleCoders): Codec {
  const text = named.map((stage) => stage.text).join(" | ");
  if (text.length > maxCodecTextLength) {
    throw new TensorError("codec", `${text.length} characters, at most ${maxCodecTextLength} are allowed`);
  }
  if (named.length === 0) throw new TensorError("codec", "a chain has at least one stage");
  checkKinds(named);
  const stages = named.at(-1)!.output === "symbols" ? [...named, pack as Stage] : named;

  const decides = stages.find((stage) => stage.unitOrder);

  function arrange(
    spec: TensorSpec,
    statistics: CutStatistics | undefined,
    interleaving: Interleaving,
  ): Arrangement {
    const { kind } = interleaving;
    if (!decides && kind !== "contiguous") return arrangeElements(spec, statistics, interleaving);
    const base = decides?.unitOrder?.(spec) ?? elementOrder(spec);
    return kind === "checkerboard" && decides?.takesHalfRows
      ? arrangeRows(base, spec, statistics)
      : arrangeChannels(base, spec, statistics, interleaving);
  }

  function plan(spec: TensorSpec, statistics: CutStatistics | undefined, interleave: string): Chain {
    checkSpec(spec);
    const arrangement = arrange(spec, statistics, parseInterleaving(interleave));
    const looksBack = stages.some((stage) => stage.looksBack);
    return planChain(stages, { spec, looksBack, ...arrangement });
  }

  /** Statistics are of one tensor. */
  const planPart = (interleave: string) => (part: TensorSpec) => plan(part, undefined, interleave);
  const needBundles = (): BundleCoders => {
    if (bundles) return bundles;
    throw new TensorError("parts", "the codec was prepared for single tensors; prepare it with `isBundle`");
  };

  return {
    text,
    preferredInterleaving({ shape }) {
      return !decides && elementCount(shape) <= maxInterleavedElements ? "checkerboard" : "";
    },
    libraries: stages.flatMap(({ library }) => library ?? []),
    createEncoder: (spec, statistics, interleave = "") =>
      spec.parts
        ? needBundles().createEncoder(spec, planPart(interleave))
        : createSliceEncoder(spec, plan(spec, statistics, interleave)),
    createDecoder: (spec, statistics, interleave = "") =>
      spec.parts
        ? needBundles().createDecoder(spec, planPart(interleave))
        : createSliceDecoder(spec, plan(spec, statistics, interleave)),
  };
}

function checkKinds(stages: readonly Stage[]): void {
  if (stages.filter(({ looksBack }) => looksBack).length > 1) {
    throw new TensorError("codec", "one stage of a chain can look at earlier frames, not more");
  }
  let before = "the tensor";
  let kind: Stage["output"] = "tensor";
  for (const { name, input, output } of stages) {
    if (input !== kind) {
      const gives = kind === "tensor" ? before : `${before} (it gives ${kind})`;
      throw new TensorError(
        `codec.${name}`,
        `takes ${input} and cannot stand behind ${gives}; there goes ${takers[kind]}`,
      );
    }
    before = name;
    kind = output;
  }
  if (kind !== "bytes" && kind !== "symbols") {
    throw new TensorError("codec", `the chain ends with ${before}, which gives ${kind}; add ${takers[kind]}`);
  }
}
