/**
 * What a tensor codec is: it cuts a tensor into slices that each fit one datagram and each decode alone, and it
 * turns any subset of slices back into elements, with a mask of what is missing.
 *
 * The elements of a frame are divided by a rule that needs nothing but two small numbers: slice `index` of
 * `count` covers the units floor(index * units / count) to floor((index + 1) * units / count), exclusive. A slice
 * that turns out too large for a datagram splits into `m` slices (index * m + j) of (count * m) without touching
 * any other slice (spec 5.2). A unit is the smallest piece that the codec can decode by itself.
 */
import type { BlockMotion, CutStatistics, Tensor, TensorSpec } from "@sluice/tensor";

/** Which units a slice covers. */
export interface SlicePosition {
  readonly index: number;
  readonly count: number;
}

/** One encoded slice of one tensor. */
export interface EncodedSlice extends SlicePosition {
  readonly payload: Uint8Array;
  /** What it is worth beside the others of its tensor, 0 to 1; absent: as much as any. */
  readonly importance?: number;
}

/** What an encoder may know of a frame beside its tensor. */
export interface EncodeOptions {
  /** The frame's number in its stream, the same that the decoder is given; needed where frames are predicted. */
  readonly frame?: number;
  /**
   * Bytes that the payloads may have together to be in time. `sluice` cuts itself to it. Chains take no notice: the quality
   * of their pictures is in their text, which both ends know, and none of their slices matters less than another, as
   * each has channels or elements of its own. So they leave the choice to the sender, which sends until the frame
   * expires: what is then left over is concealed.
   */
  readonly budgetBytes?: number;
  /**
   * Payloads may be views of the tensor, which saves a copy: whoever asks is through with them before it changes, and
   * before the next one is encoded.
   */
  readonly mayBorrow?: boolean;
}

/** A tensor that was encoded. It must not change while slices may be split. */
export interface EncodedTensor {
  readonly slices: readonly EncodedSlice[];
  /**
   * Encodes again what one of its slices (or of their parts) covers, in smaller slices: the path's datagrams have shrunk.
   * @throws TensorError where even one unit does not fit
   */
  split(slice: SlicePosition, maxPayloadBytes: number): EncodedSlice[];
}

/** Encodes the tensors of one stream; made once for each tensor stream. */
export interface TensorEncoder {
  /** Units that a tensor of this stream is divided into. */
  readonly units: number;
  /** Slices a tensor, every payload at most `maxPayloadBytes`. @throws TensorError where even one unit does not fit. */
  encode(tensor: Tensor, maxPayloadBytes: number, options?: EncodeOptions): EncodedTensor;
  /** The receiver has decoded every slice of this frame: later ones may be predicted from it. Absent: none is. */
  acknowledge?(frame: number): void;
}

/** Why a slice was refused; it counts as lost. `payload`: its bytes cannot be decoded. */
export type SliceFault = "payload-length" | "parameter" | "range" | "payload";

/** A decoded frame that later ones may be predicted from, in the codec's own form. */
export interface DecoderReference {
  readonly frame: number;
  readonly values: Float32Array;
}

/** Decodes the tensors of one stream; made once for each tensor stream. */
export interface TensorDecoder {
  readonly units: number;
  /**
   * Starts a tensor of which nothing has arrived.
   * @param frame its number in its stream, needed where frames are predicted
   * @param into memory for it: a tensor of the stream's spec that nobody else uses, whatever is in it; default
   *   fresh. A decoder may leave it and make its own
   */
  begin(frame?: number, into?: Tensor): PartialTensor;
  /** All that the next frames depend on beside their slices; views, not to be changed. Absent: they depend on nothing. */
  references?(): readonly DecoderReference[];
  /**
   * Puts a new decoder where another one of the same stream was when it gave these references.
   * @throws TensorError where they are of another size
   */
  restore?(references: readonly DecoderReference[]): void;
}

/** What became of a tensor. */
export interface FinishedTensor {
  readonly tensor: Tensor;
  readonly missing: Uint8Array;
  readonly missingCount: number;
  /** How its blocks moved, where slices said so, of missing blocks as well. */
  readonly motion?: BlockMotion;
}

/** A tensor under reconstruction. */
export interface PartialTensor {
  /** Decodes one slice into place. `undefined`: it is in. Otherwise the reason why it was refused. */
  add(index: number, count: number, payload: Uint8Array): SliceFault | undefined;
  /**
   * The elements so far (missing ones are 0) and the mask: 1 where an element is missing, else 0. Both are the live
   * ones, not copies: slices added later still change them. The mask is not to be changed: tensors that came whole share it.
   */
  finish(): FinishedTensor;
}

/** A chain of stages, ready to make encoders and decoders for tensors of one spec. */
export interface Codec {
  /** The text form, which is also the wire's: `quantize:levels=16,clip=3`. */
  readonly text: string;
  /**
   * Text of the order that loses least of the network's answers where slices are lost and costs no bytes: `checkerboard`
   * for single elements; empty where the codec's own order is as good.
   */
  preferredInterleaving(spec: Pick<TensorSpec, "shape">): string;
  /** Modules that must be loaded before (`prepareCodec`). */
  readonly libraries?: readonly string[];
  /**
   * @param interleave text of what slices hold (spec 5.8); default contiguous
   * @throws TensorError naming what does not fit the spec, statistics that are missing, or a library that is not loaded;
   *   of the field `interleave` where that text cannot be read or does not suit the codec
   */
  createEncoder(spec: TensorSpec, statistics?: CutStatistics, interleave?: string): TensorEncoder;
  createDecoder(spec: TensorSpec, statistics?: CutStatistics, interleave?: string): TensorDecoder;
}
