/**
 * What the coefficients of a unit are written against (spec 6.11): nothing, or those of a frame that the receiver has, with
 * rows that are limited to what is left of large coefficients; or nothing is written, and they are as they were.
 */
export const unitModes = { intra: 0, rough: 1, fine: 2, same: 3 } as const;

/**
 * Set in the first byte of slices of which units are predicted. A byte follows with the distance of the frame that they are
 * predicted from and the class of the vectors (0: there are none); behind it the modes.
 */
export const predictedFlag = 0x80;
export const vectorClassShift = 5;
export const distanceMask = 0x1f;

/** For each mode that writes coefficients: the highest row that they have. */
export const highestRows = [Number.POSITIVE_INFINITY, 24, 16] as const;

/** Modes of units, two bits each, least significant first. */
export function packModes(
  modes: Uint8Array,
  first: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  for (let unit = first; unit < end; unit++) {
    const place = unit - first;
    target[at + (place >> 2)]! |= modes[unit]! << (2 * (place & 3));
  }
}

export function unpackModes(source: Uint8Array, at: number, count: number): Uint8Array {
  return Uint8Array.from(
    { length: count },
    (_, place) => (source[at + (place >> 2)]! >> (2 * (place & 3))) & 3,
  );
}

/** Bytes of so many modes. */
export function modeBytes(count: number): number {
  return (count + 3) >> 2;
}

/** What a decoder adds to a magnitude that is not 0, in steps. */
const reconstruction = 1 / 16;

/** Where the coefficients of a unit lie: in the order of the plan, and in the transform's block. */
export interface UnitPlace {
  readonly places: Uint32Array;
  /** Of the unit's layer. */
  readonly first: number;
  readonly end: number;
  /** Where the unit's block begins. */
  readonly offset: number;
}

/**
 * The values of a unit's coefficients, from those that were written.
 * @param written from `at` on, `count` of them
 * @param reference values of the frame that the unit is predicted from
 */
export function reconstructUnit(
  { places, first, end, offset }: UnitPlace,
  written: Int32Array,
  at: number,
  count: number,
  step: number,
  reference: Float32Array | undefined,
  values: Float32Array,
): void {
  for (let j = first; j < end; j++) {
    const place = offset + places[j]!;
    values[place] = reference === undefined ? 0 : reference[place]!;
  }
  for (let j = 0; j < count; j++) {
    const coefficient = written[at + j]!;
    if (coefficient === 0) continue;
    const place = offset + places[first + j]!;
    const whole = coefficient + (coefficient < 0 ? -reconstruction : reconstruction);
    values[place] = values[place]! + whole * step;
  }
}
