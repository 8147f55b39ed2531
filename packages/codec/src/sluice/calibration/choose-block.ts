import { maxBlockSide, maxMatrices, maxMixedChannels } from "@sluice/tensor";

/** Sides that are tried, the best one first; what no tensor side of them divides is padded. */
const sides = [4, 7, 5, 6, 3, 8, 2];

/** The side of blocks along an axis of `length` positions. */
export function chooseSide(length: number): number {
  if (length <= maxBlockSide) return length <= 5 || length === 7 ? length : length / 2;
  return sides.find((side) => length % side === 0) ?? 4;
}

/** Bytes that the matrices may take. */
const maxMatrixBytes = 1 << 16;

/** Squared frequencies, in units of that of a block's half wave, up to which bands have a matrix of their own. */
const frequencies = [0, 1, 2, 4, 5, 8, 10, 17, 26, Number.POSITIVE_INFINITY];

/**
 * Bands that share a matrix, for each band its group: each its own where there is room, for channels hang together
 * otherwise along rows than along columns; else by frequency, in as many groups as matrices have room.
 */
export function groupBands(height: number, width: number, channels: number): Uint8Array {
  const room = Math.max(1, Math.floor(maxMatrixBytes / channels ** 2));
  const isMixed = channels > 1 && channels <= maxMixedChannels;
  const count = isMixed ? Math.min(frequencies.length, room) : frequencies.length;
  if (height * width <= Math.min(maxMatrices, room))
    return Uint8Array.from({ length: height * width }, (_, band) => band);
  const raw = Array.from({ length: height * width }, (_, band) => {
    const frequency = Math.floor(band / width) ** 2 + (band % width) ** 2;
    const group = frequencies.findIndex((limit) => frequency <= limit);
    return Math.floor((group * count) / frequencies.length);
  });
  const used = [...new Set(raw)].sort((a, b) => a - b);
  return Uint8Array.from(raw, (group) => used.indexOf(group));
}
