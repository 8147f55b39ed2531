import { type Tensor, TensorError, type TensorSpec, unpackTensors } from "@sluice/tensor";
import { createBundleUnits, type PartRange, partLengthBytes } from "./bundle-parts.js";
import type { Chain } from "./chain.js";
import { checkTensor } from "./check-tensor.js";
import type { EncodedSlice, SlicePosition, TensorEncoder } from "./codec.js";
import { rememberFit } from "./payload-fit.js";
import type { TooLong } from "./stage.js";

/** What the units of a slice may take beyond what those of the frame before took on average. */
const margin = 1.05;

/** How many payloads a slice takes, by what the units of each tensor took in the frame before. */
function createRates(chains: readonly Chain[]) {
  const perUnit: (number | undefined)[] = chains.map(() => undefined);
  const counted = chains.map(() => ({ bytes: 0, units: 0 }));
  /** Of chains whose units are single elements that all take the same. */
  const fixed = chains.map(({ fixedBytes, order }) =>
    fixedBytes && order.elementsBefore(order.units) === order.units
      ? { fixedBytes, most: rememberFit(fixedBytes, order.units) }
      : undefined,
  );

  function bytesOf({ part, first, end }: PartRange): number {
    return fixed[part]?.fixedBytes(end - first) ?? (end - first) * perUnit[part]! * margin;
  }

  return {
    /** A frame begins. @param measure tells what a piece takes of a tensor of which nothing is known yet */
    begin(measure: (range: PartRange) => number): void {
      for (const [part, { order, maxUnits }] of chains.entries()) {
        counted[part] = { bytes: 0, units: 0 };
        const end = Math.min(order.units, maxUnits);
        if (!fixed[part]) perUnit[part] ??= measure({ part, first: 0, end }) / end;
      }
    },
    count({ part, first, end }: PartRange, bytes: number): void {
      const own = counted[part]!;
      own.bytes += bytes;
      own.units += end - first;
    },
    settle(): void {
      for (const [part, { bytes, units }] of counted.entries()) if (units > 0) perUnit[part] = bytes / units;
    },
    payloads(ranges: readonly PartRange[], maxPayloadBytes: number): number {
      const [{ part, first, end }] = ranges as [PartRange];
      const known = fixed[part];
      if (ranges.length === 1 && known) return Math.ceil((end - first) / known.most(maxPayloadBytes));
      const bytes = ranges.reduce(
        (sum, range) => sum + bytesOf(range),
        partLengthBytes * (ranges.length - 1),
      );
      const least = ranges.map((range) =>
        Math.ceil((range.end - range.first) / chains[range.part]!.maxUnits),
      );
      return Math.max(Math.ceil(bytes / maxPayloadBytes), ...least);
    },
  };
}

const whole: SlicePosition = { index: 0, count: 1 };

/**
 * Cuts bundles into slices, of which each holds units of one of its tensors, coded by that tensor's own chain; where a
 * slice lies across two, the one behind the other (spec 6.14).
 */
export function createBundleEncoder(
  spec: TensorSpec,
  parts: readonly TensorSpec[],
  chains: readonly Chain[],
): TensorEncoder {
  const { units, rangesOf } = createBundleUnits(chains);
  const rates = createRates(chains);
  const looking = chains.flatMap(({ history }) => history ?? []);
  let taken: readonly Tensor[] | undefined;

  function take(tensors: readonly Tensor[], frame: number | undefined): void {
    if (taken === tensors) return;
    for (const [i, chain] of chains.entries()) chain.take(tensors[i]!, frame);
    taken = tensors;
  }

  function encodeSlice(ranges: readonly PartRange[], maxPayloadBytes: number): Uint8Array | TooLong {
    const pieces: Uint8Array[] = [];
    let room = maxPayloadBytes - partLengthBytes * (ranges.length - 1);
    const inAll = ranges.reduce((sum, { first, end }) => sum + end - first, 0);
    let done = 0;
    for (const range of ranges) {
      const chain = chains[range.part]!;
      const length = range.end - range.first;
      if (room < 1 || length > chain.maxUnits) return { fits: done / inAll };
      // The tensors are copies that nobody else has, so payloads may be views of them.
      const piece = chain.encode(range, room, true);
      if ("fits" in piece) return { fits: (done + piece.fits * length) / inAll };
      rates.count(range, piece.length);
      if (piece.length > room) return { fits: (done + (room / piece.length) * length) / inAll };
      room -= piece.length;
      done += length;
      pieces.push(piece);
    }
    return pieces.length === 1 ? pieces[0]! : joinPieces(pieces);
  }

  /** @throws TensorError where a single unit is too long */
  function cut(slice: SlicePosition, maxPayloadBytes: number, slices: EncodedSlice[]): void {
    const ranges = rangesOf(slice);
    const wanted = rates.payloads(ranges, maxPayloadBytes);
    if (wanted === 1 || isUnit(ranges)) {
      const payload = encodeSlice(ranges, maxPayloadBytes);
      if (!("fits" in payload)) {
        slices.push({ ...slice, payload });
        return;
      }
      if (isUnit(ranges)) {
        const [{ part, first }] = ranges as [PartRange];
        throw new TensorError(
          "maxPayloadBytes",
          `${maxPayloadBytes}, unit ${first} of tensor ${part} of the bundle takes more`,
        );
      }
    }
    // Across tensors in two, so that each comes to be cut by what its own units take.
    cutInto(slice, ranges.length > 1 ? 2 : Math.max(2, wanted), maxPayloadBytes, slices);
  }

  function cutInto(
    { index, count }: SlicePosition,
    wanted: number,
    maxPayloadBytes: number,
    slices: EncodedSlice[],
  ): void {
    // spec 5.2: no more slices than units. Two always do but near the units' number, where each is cut out by itself.
    const most = count * wanted <= units ? wanted : Math.floor(units / count);
    if (most >= 2) {
      for (let j = 0; j < most; j++)
        cut({ index: index * most + j, count: count * most }, maxPayloadBytes, slices);
      return;
    }
    const first = Math.floor((index * units) / count);
    const end = Math.floor(((index + 1) * units) / count);
    for (let unit = first; unit < end; unit++) cut({ index: unit, count: units }, maxPayloadBytes, slices);
  }

  function checkLimit(maxPayloadBytes: number): void {
    if (!(maxPayloadBytes >= 1))
      throw new TensorError("maxPayloadBytes", `must be positive, got ${maxPayloadBytes}`);
  }

  return {
    units,
    encode(tensor, maxPayloadBytes, { frame } = {}) {
      checkTensor(tensor, spec);
      checkLimit(maxPayloadBytes);
      const tensors = unpackTensors(tensor, parts);
      take(tensors, frame);
      rates.begin((range) => {
        const piece = chains[range.part]!.encode(range, maxPayloadBytes, true);
        return "fits" in piece ? maxPayloadBytes / Math.max(piece.fits, 1e-3) : piece.length;
      });
      const slices: EncodedSlice[] = [];
      cut(whole, maxPayloadBytes, slices);
      rates.settle();
      return {
        slices,
        split(slice, most) {
          checkLimit(most);
          // Another frame may have been taken since.
          take(tensors, frame);
          const smaller: EncodedSlice[] = [];
          cut(slice, most, smaller);
          return smaller;
        },
      };
    },
    ...(looking.length > 0
      ? {
          acknowledge(frame: number) {
            for (const history of looking) history.acknowledge(frame);
          },
        }
      : {}),
  };
}

function isUnit(ranges: readonly PartRange[]): boolean {
  return ranges.length === 1 && ranges[0]!.end - ranges[0]!.first === 1;
}

function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  const payload = new Uint8Array(
    pieces.reduce((sum, { length }) => sum + length, (pieces.length - 1) * partLengthBytes),
  );
  const view = new DataView(payload.buffer);
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    if (i < pieces.length - 1) {
      view.setUint32(at, piece.length, true);
      at += partLengthBytes;
    }
    payload.set(piece, at);
    at += piece.length;
  }
  return payload;
}
