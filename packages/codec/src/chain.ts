import { createTensor, type Tensor, type TensorSpec, type UnitRange } from "@sluice/tensor";
import type { SliceFault } from "./codec.js";
import { createScratch, createSymbolScratch } from "./scratch.js";
import type {
  Kind,
  PieceOf,
  PlanContext,
  PlaneFormat,
  PlannedStage,
  Stage,
  StageHistory,
  SymbolsFormat,
  TensorFormat,
  TooLong,
} from "./stage.js";
import { extentOf, type SliceExtent, toUnitOrder, type UnitOrder } from "./unit-order.js";

/** A chain of stages, planned for the tensors of one stream; its last stage gives bytes. */
export interface Chain {
  readonly order: UnitOrder;
  /** The most units that a slice may have. */
  readonly maxUnits: number;
  /** Bytes of a payload of so many elements, where that does not depend on their values. */
  readonly fixedBytes: ((elements: number) => number) | undefined;
  /** Takes a tensor, from which slices are encoded until the next one is taken. */
  take(tensor: Tensor, frame?: number): void;
  /**
   * @param mayBorrow see `EncodeOptions`
   * @param into where a payload of known length goes; default: memory of its own
   */
  encode(range: UnitRange, room: number, mayBorrow?: boolean, into?: Uint8Array): Uint8Array | TooLong;
  /** Whether payloads take no memory: they are views of the tensor, or of a copy that nobody else has. */
  lends(mayBorrow: boolean): boolean;
  /**
   * Decodes what a peer has sent. On a fault, the tensor is as it was.
   * @param ordered its elements are in the order of the units
   */
  decode(payload: Uint8Array, range: UnitRange, ordered: Tensor, frame?: number): SliceFault | undefined;
  /** Of the stage that looks at earlier frames, where there is one. */
  readonly history: StageHistory | undefined;
}

const noSide = new Uint8Array(0);

export function planChain(stages: readonly Stage[], context: PlanContext): Chain {
  const { spec, order } = context;
  const planned: PlannedStage[] = [];
  const kinds: Kind[] = ["tensor"];
  let format: unknown = { dtype: spec.dtype };
  for (const stage of stages) {
    // The kinds fit: `pipe` and `parseCodec` see to it.
    const plan = (stage as Stage<Kind, Kind>).plan(format as never, context);
    planned.push(plan);
    kinds.push(stage.output);
    format = plan.output;
  }
  const last = planned.at(-1)!;
  const sideBytes = planned.reduce((sum, { sideBytes = 0 }) => sum + sideBytes, 0);
  const sides = planned.map(({ sideBytes: bytes = 0 }) => new Uint8Array(bytes));
  const whole: SliceExtent = extentOf(order, 0, order.units);
  const canBorrow = sideBytes === 0 && planned.every(({ givesViews }) => givesViews);
  // Then each tensor gets a copy of its own, of which the payloads are views.
  const lendsCopies = canBorrow && order.reordered !== undefined;
  const targets = planned.map((_, i) => createTarget(kinds[i]!, planned[i - 1]?.output, spec));
  const history = planned.find((stage) => stage.history)?.history;
  // The commonest chain, in one step.
  const packedBits = planned.length === 2 ? last.packedBits : undefined;
  const direct = packedBits === undefined ? undefined : (planned[0] as PlannedStage<"tensor">);
  let current: Tensor | undefined;
  let currentFrame: number | undefined;

  const copyOf = createScratchTensor(spec);

  return {
    ...{ order, history },
    lends: (mayBorrow) => canBorrow && (mayBorrow || lendsCopies),
    maxUnits: planned.reduce((least, { maxUnits = order.units }) => Math.min(least, maxUnits), order.units),
    fixedBytes: last.fixedBytes && ((elements) => sideBytes + last.fixedBytes!(elements)),
    take(tensor, frame) {
      currentFrame = frame;
      if (frame !== undefined) history?.begin(frame);
      current = tensor;
      if (order.reordered) {
        current = lendsCopies ? createTensor(spec.dtype, spec.shape, undefined, spec.layout) : copyOf();
        toUnitOrder(order, whole, tensor, current);
      }
      let seen = current;
      for (const stage of planned) seen = stage.measure?.(seen) ?? seen;
    },
    encode({ first, end }, room, mayBorrow = false, into) {
      const extent = extentOf(order, first, end);
      let piece: PieceOf[Kind] = current!;
      for (let i = 0; i < planned.length; i++) {
        const made = planned[i]!.encode(piece, extent, sides[i]!, room - sideBytes, currentFrame);
        if ("fits" in made) return made;
        piece = made;
      }
      const bytes = piece as Uint8Array;
      if (this.lends(mayBorrow)) return bytes;
      const length = sideBytes + bytes.length;
      const payload = into ? into.subarray(0, length) : new Uint8Array(length);
      let at = 0;
      for (const side of sides) {
        payload.set(side, at);
        at += side.length;
      }
      payload.set(bytes, at);
      return payload;
    },
    decode(payload, { first, end }, ordered, frame) {
      const extent = extentOf(order, first, end);
      if (end - first > this.maxUnits) return "range";
      const elements = extent.elements.end - extent.elements.first;
      const expected = this.fixedBytes?.(elements);
      if (expected === undefined ? payload.length < sideBytes : payload.length !== expected)
        return "payload-length";
      if (packedBits !== undefined && direct?.decodePacked)
        return direct.decodePacked(payload, packedBits, ordered, extent);
      let at = sideBytes;
      let piece: PieceOf[Kind] = sideBytes === 0 ? payload : payload.subarray(sideBytes);
      for (let i = planned.length - 1; i >= 0; i--) {
        const stage = planned[i]!;
        const { sideBytes: own = 0 } = stage;
        at -= own;
        const target: PieceOf[Kind] = i === 0 ? ordered : targets[i]!(extent);
        const side = own === 0 ? noSide : payload.subarray(at, at + own);
        const fault = stage.decode(piece, target, extent, side, frame);
        if (fault !== undefined) return fault;
        piece = target;
      }
      if (frame !== undefined) history?.settle(frame, extent);
      return undefined;
    },
  };
}

/** One tensor, made when it is needed first. */
function createScratchTensor({ dtype, shape, layout }: TensorSpec): () => Tensor {
  let tensor: Tensor | undefined;
  return () => {
    tensor ??= createTensor(dtype, shape, undefined, layout);
    return tensor;
  };
}

/** Makes room for what a stage decodes into; it grows to the longest slice seen, which the tensor bounds. */
function createTarget(kind: Kind, format: unknown, spec: TensorSpec): (extent: SliceExtent) => PieceOf[Kind] {
  let tensor: Tensor | undefined;
  const symbols = kind === "symbols" && createSymbolScratch((format as SymbolsFormat).levels);
  const samples = createScratch((length) => new Uint8Array(length));
  return (extent) => {
    if (kind === "tensor") {
      tensor ??= createTensor((format as TensorFormat).dtype, spec.shape, undefined, spec.layout);
      return tensor;
    }
    if (symbols) return symbols(extent.elements.end - extent.elements.first);
    const { width, height } = (format as PlaneFormat).size(extent);
    return samples(width * height);
  };
}
