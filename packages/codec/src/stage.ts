/**
 * A stage of a codec's chain: what it takes and gives, and how it is written for one slice of one tensor.
 *
 * A chain is planned once for the tensors of a stream: each stage learns what comes to it and says what leaves it, or
 * refuses with an error that names it. Then it works on one slice at a time: forwards to encode, backwards to decode.
 */
import type { ChannelAxis, CutStatistics, Symbols, Tensor, TensorSpec } from "@sluice/tensor";
import type { DecoderReference, SliceFault } from "./codec.js";
import type { SliceExtent, UnitOrder } from "./unit-order.js";

/**
 * What travels from stage to stage.
 * - `tensor`: elements as they are
 * - `symbols`: an integer from 0 to levels - 1 for each element
 * - `plane`: one picture of 8-bit samples
 * - `bytes`: a payload; it ends a chain
 */
export type Kind = "tensor" | "symbols" | "plane" | "bytes";

/** What is known of a kind before there is a tensor. */
export interface FormatOf {
  readonly tensor: TensorFormat;
  readonly symbols: SymbolsFormat;
  readonly plane: PlaneFormat;
  readonly bytes: Record<never, never>;
}

/** Elements come in the order of the chain's units, see {@link UnitOrder}. */
export interface TensorFormat {
  readonly dtype: TensorSpec["dtype"];
  /** Coefficients instead of elements: around 0, so many of each block, one block behind the other. */
  readonly blockLength?: number;
}

export interface SymbolsFormat {
  /** Symbols are below it, 2 to 65,536. */
  readonly levels: number;
  /** A receiver must get them back as they are: no stage behind may change them. */
  readonly isExact?: boolean;
  /** As of {@link TensorFormat}. */
  readonly blockLength?: number;
}

export interface PlaneFormat {
  /** Of the plane that a slice becomes. */
  size(extent: SliceExtent): PlaneSize;
}

export interface PlaneSize {
  readonly width: number;
  readonly height: number;
}

/** A slice between two stages. */
export interface PieceOf {
  /** The whole tensor; the slice's elements are those of its extent. */
  readonly tensor: Tensor;
  /** One for each element; bytes where there are at most 256 levels. */
  readonly symbols: Symbols;
  /** Rows from the top, each from the left. */
  readonly plane: Uint8Array;
  readonly bytes: Uint8Array;
}

/** A slice that became too long: the share of it, 0 to 1, that fitted, as far as that is known. */
export interface TooLong {
  readonly fits: number;
}

/** What a chain is planned for. */
export interface PlanContext {
  /** The stream's tensors. */
  readonly spec: TensorSpec;
  readonly order: UnitOrder;
  /** Channels of the elements in the order of the units; those of the statistics. */
  readonly axis: ChannelAxis;
  /** Rows of a channel that follow one another in this order: all of them, or half of them. */
  readonly rows: number;
  readonly statistics: CutStatistics | undefined;
  /** Whether a stage of the chain looks at earlier frames: what makes frames alike then pays. */
  readonly looksBack?: boolean;
}

export interface Stage<In extends Kind = Kind, Out extends Kind = Kind> {
  readonly name: string;
  /** Canonical: names every parameter. */
  readonly text: string;
  readonly input: In;
  readonly output: Out;
  /** Which units the slices hold, where this stage cares; else single elements. One stage of a chain can decide it. */
  unitOrder?(spec: TensorSpec): UnitOrder;
  /** Of a stage that decides the units: whether every second row of a channel can stand by itself (spec 5.8). */
  readonly takesHalfRows?: boolean;
  /** Whether it looks at earlier frames; one stage of a chain can. */
  readonly looksBack?: boolean;
  /** The module to be loaded before (see `prepareCodec`). */
  readonly library?: string;
  /** @throws TensorError naming the stage and what to do where it cannot take the input */
  plan(input: FormatOf[In], context: PlanContext): PlannedStage<In, Out>;
}

export interface PlannedStage<In extends Kind = Kind, Out extends Kind = Kind> {
  readonly output: FormatOf[Out];
  /** Bytes that it writes for itself in front of what later stages write. Default 0. */
  readonly sideBytes?: number;
  /** The most units that a slice may have. */
  readonly maxUnits?: number;
  /** What it encodes are views of its input, which last as long as that does. */
  readonly givesViews?: boolean;
  /** For a stage that looks at earlier frames. */
  readonly history?: StageHistory;
  /** For a stage that gives bytes: how many, where that does not depend on the values. */
  fixedBytes?(elements: number): number;
  /** For a stage that gives bytes: they are its symbols in so many bits each, at most 8 (`TensorKernels.unpackBits`). */
  readonly packedBits?: number | undefined;
  /**
   * For the first stage of a chain, where it gives symbols and can: decodes a payload of its own side and symbols that are
   * packed so, without anybody seeing the symbols.
   */
  decodePacked?(
    payload: Uint8Array,
    bits: number,
    target: PieceOf[In],
    extent: SliceExtent,
  ): SliceFault | undefined;
  /**
   * Looks at a whole frame before slices of it are encoded.
   * @returns what later stages look at, where this one gives a tensor
   */
  measure?(tensor: Tensor): Tensor | undefined;
  /**
   * @param side {@link sideBytes} bytes to be written
   * @param room bytes that the rest of the payload may have; a stage that gives bytes may stop beyond
   * @param frame number of the frame in its stream, where it has one
   * @returns a view that lasts until the next call
   */
  encode(
    piece: PieceOf[In],
    extent: SliceExtent,
    side: Uint8Array,
    room: number,
    frame?: number,
  ): PieceOf[Out] | TooLong;
  /**
   * @param piece not trusted
   * @param target to be filled: the tensor, or as many symbols or samples as the extent asks for
   */
  decode(
    piece: PieceOf[Out],
    target: PieceOf[In],
    extent: SliceExtent,
    side: Uint8Array,
    frame?: number,
  ): SliceFault | undefined;
}

/** What a stage knows of earlier frames. */
export interface StageHistory {
  /** A frame begins, of which slices are encoded or decoded from now on. */
  begin(frame: number): void;
  /** (encoder) The receiver has all of a frame. */
  acknowledge(frame: number): void;
  /** (decoder) What was decoded last is in: no other stage refused the slice. */
  settle(frame: number, extent: SliceExtent): void;
  /** See `TensorDecoder`. */
  references(): readonly DecoderReference[];
  restore(references: readonly DecoderReference[]): void;
}
