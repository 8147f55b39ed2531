import { bundleCoders } from "./bundle-coders.js";
import { createChainCodec } from "./chain-codec.js";
import type { Codec } from "./codec.js";
import type { Kind, Stage } from "./stage.js";

/** What a chain can end with; symbols are packed. */
type End = "bytes" | "symbols";

/**
 * Makes a codec of stages, each of which takes what the one before it gives:
 * `pipe(quantize({ levels: 8, clip: 3 }), tile("hwc"), jpeg({ quality: 40 }))`. Stages that do not fit do not compile;
 * what depends on the tensor (dtype, shape, statistics) is checked when an encoder or decoder is made for its spec.
 * @throws TensorError where the text is longer than the wire allows
 */
export function pipe(stage: Stage<"tensor", End>): Codec;
export function pipe<A extends Kind>(first: Stage<"tensor", A>, last: Stage<NoInfer<A>, End>): Codec;
export function pipe<A extends Kind, B extends Kind>(
  first: Stage<"tensor", A>,
  second: Stage<NoInfer<A>, B>,
  last: Stage<NoInfer<B>, End>,
): Codec;
export function pipe<A extends Kind, B extends Kind, C extends Kind>(
  first: Stage<"tensor", A>,
  second: Stage<NoInfer<A>, B>,
  third: Stage<NoInfer<B>, C>,
  last: Stage<NoInfer<C>, End>,
): Codec;
export function pipe<A extends Kind, B extends Kind, C extends Kind, D extends Kind>(
  first: Stage<"tensor", A>,
  second: Stage<NoInfer<A>, B>,
  third: Stage<NoInfer<B>, C>,
  fourth: Stage<NoInfer<C>, D>,
  last: Stage<NoInfer<D>, End>,
): Codec;
export function pipe(...stages: Stage[]): Codec {
  return createChainCodec(stages, bundleCoders);
}
