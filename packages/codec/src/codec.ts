/**
 * What a tensor codec is: it cuts a tensor into slices that each fit one datagram and each decode alone, and it
 * turns any subset of slices back into elements, with a mask of what is missing.
 *
 * The elements of a frame are divided by a rule that needs nothing but two small numbers: slice `index` of
 * `count` covers the units floor(index * units / count) to floor((index + 1) * units / count), exclusive. A slice
 * that turns out too large for a datagram splits into `m` slices (index * m + j) of (count * m) without touching
 * any other slice (spec 5.2). A unit is the smallest piece that the codec can decode by itself.
 */
import type { CutStatistics, Tensor, TensorSpec } from "@sluice/tensor";

/** One encoded slice of one tensor. */
export interface EncodedSlice {
  readonly index: number;
  readonly count: number;
  readonly payload: Uint8Array;
}

/** Encodes the tensors of one stream; made once for each tensor stream. */
export interface TensorEncoder {
  /** Units that a tensor of this stream is divided into. */
  readonly units: number;
  /** Slices a tensor, every payload at most `maxPayloadBytes`. @throws TensorError where even one unit does not fit. */
  encode(tensor: Tensor, maxPayloadBytes: number): EncodedSlice[];
  /** Encodes again the part of `tensor` that a slice covers, in smaller slices: the path's datagrams have shrunk. */
  split(tensor: Tensor, index: number, count: number, maxPayloadBytes: number): EncodedSlice[];
}

/** Why a slice was refused; it counts as lost. */
export type SliceFault = "payload-length" | "parameter" | "range";

/** Decodes the tensors of one stream; made once for each tensor stream. */
export interface TensorDecoder {
  readonly units: number;
  /** Starts a tensor of which nothing has arrived. */
  begin(): PartialTensor;
}

/** A tensor under reconstruction. */
export interface PartialTensor {
  /** Decodes one slice into place. `undefined`: it is in. Otherwise the reason why it was refused. */
  add(index: number, count: number, payload: Uint8Array): SliceFault | undefined;
  /**
   * The elements so far (missing ones are 0) and the mask: 1 where an element is missing, else 0. Both are the live
   * ones, not copies: slices added later still change them.
   */
  finish(): { readonly tensor: Tensor; readonly missing: Uint8Array; readonly missingCount: number };
}

/** A chain of stages, ready to make encoders and decoders for tensors of one spec. */
export interface Codec {
  /** The text form, which is also the wire's: `quantize:levels=16,clip=3`. */
  readonly text: string;
  createEncoder(spec: TensorSpec, statistics?: CutStatistics): TensorEncoder;
  createDecoder(spec: TensorSpec, statistics?: CutStatistics): TensorDecoder;
}
