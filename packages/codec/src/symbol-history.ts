import { maxByteLevels, type Symbols, TensorError } from "@sluice/tensor";
import type { DecoderReference } from "./codec.js";
import type { SliceExtent } from "./unit-order.js";

/** What a history may hold, in symbols. */
const maxKeptSymbols = 1 << 26;

/** A frame is kept for so much longer than it may be looked at: frames overtake each other. */
const moreFrames = 4;

/** The symbols of a stream's last frames, as far as they are known. */
export interface SymbolHistory {
  /** Makes room for a frame, unless it is there; older ones go. */
  begin(frame: number): void;
  /**
   * Takes symbols of a frame that was begun; of one that was not, nothing. A frame of which other ones were taken before
   * is never whole: nobody knows which of them the other end has.
   */
  keep(frame: number, { elements }: SliceExtent, symbols: Symbols): void;
  /** All symbols of a frame; `undefined` where some are missing. */
  whole(frame: number): Symbols | undefined;
  /** The frames of which all symbols are known. */
  references(): readonly DecoderReference[];
  /** @throws TensorError where a reference has another number of symbols, or they are out of range */
  restore(references: readonly DecoderReference[]): void;
}

interface KeptFrame {
  readonly symbols: Symbols;
  readonly isKept: Uint8Array;
  left: number;
}

/**
 * @param owner of the history, for errors
 * @param memory how many frames back may be looked at
 * @throws TensorError where that is more than can be kept
 */
export function createSymbolHistory(
  owner: string,
  elements: number,
  levels: number,
  memory: number,
): SymbolHistory {
  if (elements * memory > maxKeptSymbols) {
    const most = Math.floor(maxKeptSymbols / elements);
    throw new TensorError(
      `${owner}.memory`,
      `${memory} frames of ${elements} elements, at most ${most} are kept`,
    );
  }
  const frames = new Map<number, KeptFrame>();
  let newest = Number.NEGATIVE_INFINITY;

  function begin(frame: number): void {
    newest = Math.max(newest, frame);
    const oldest = newest - memory - moreFrames;
    for (const number of frames.keys()) if (number < oldest) frames.delete(number);
    if (frame < oldest || frames.has(frame)) return;
    const symbols = levels <= maxByteLevels ? new Uint8Array(elements) : new Uint16Array(elements);
    frames.set(frame, { symbols, isKept: new Uint8Array(elements), left: elements });
  }

  function keep(number: number, { elements: { first, end } }: SliceExtent, symbols: Symbols): void {
    const frame = frames.get(number);
    if (frame === undefined) return;
    for (let i = first; i < end; i++) {
      if (frame.isKept[i] === 0) frame.left--;
      else if (frame.symbols[i] !== symbols[i - first]) frame.left = Number.POSITIVE_INFINITY;
    }
    frame.symbols.set(symbols, first);
    frame.isKept.fill(1, first, end);
  }

  const whole = (frame: number): Symbols | undefined => {
    const kept = frames.get(frame);
    return kept?.left === 0 ? kept.symbols : undefined;
  };

  return {
    begin,
    keep,
    whole,
    references: () =>
      [...frames.keys()].flatMap((frame) => {
        const symbols = whole(frame);
        return symbols ? [{ frame, values: Float32Array.from(symbols) }] : [];
      }),
    restore(references) {
      for (const { frame, values } of references) {
        const isSound = values.every((value) => Number.isInteger(value) && value >= 0 && value < levels);
        if (values.length !== elements || !isSound) {
          throw new TensorError("references", `frame ${frame}: must be ${elements} symbols below ${levels}`);
        }
        begin(frame);
        keep(
          frame,
          { units: { first: 0, end: 0 }, elements: { first: 0, end: elements } },
          Uint16Array.from(values),
        );
      }
    },
  };
}
