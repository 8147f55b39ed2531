import { type BlockMotion, motionParts, type PlaneGeometry, TensorError } from "@sluice/tensor";

/** Blocks of a plane. */
interface BlockCount {
  readonly rows: number;
  readonly columns: number;
}

/** @throws TensorError naming what does not fit */
export function checkMotion(motion: BlockMotion, { height, width }: PlaneGeometry): BlockCount {
  const { blockHeight, blockWidth, distances, vectors } = motion;
  for (const [field, side] of Object.entries({ blockHeight, blockWidth })) {
    if (!Number.isInteger(side) || side < 1) {
      throw new TensorError(`motion.${field}`, `must be a positive integer, got ${side}`);
    }
  }
  const count = { rows: Math.ceil(height / blockHeight), columns: Math.ceil(width / blockWidth) };
  const blocks = count.rows * count.columns;
  if (distances.length !== blocks) {
    throw new TensorError("motion.distances", `${distances.length} numbers, there are ${blocks} blocks`);
  }
  if (vectors.length !== 2 * blocks) {
    throw new TensorError("motion.vectors", `${vectors.length} numbers, ${blocks} blocks have ${2 * blocks}`);
  }
  return count;
}

/** The middle one of some numbers; of two in the middle the lower one. */
function middleOf(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[(values.length - 1) >> 1]!;
}

/**
 * Vectors to a frame so many before, as if everything moved evenly; blocks of which nothing is known go with those around
 * them, from one to the next.
 * @returns pairs in 1/`motionParts` of an element; `undefined` where nothing is known to move
 */
function vectorsTo(
  { distances, vectors }: BlockMotion,
  { rows, columns }: BlockCount,
  framesBefore: number,
): Float64Array | undefined {
  const found = new Float64Array(vectors.length);
  const isKnown = distances.slice();
  let moves = false;
  for (const [block, distance] of distances.entries()) {
    if (distance === 0) continue;
    for (const at of [2 * block, 2 * block + 1]) {
      found[at] = Math.floor((vectors[at]! * framesBefore) / distance + 0.5);
      moves ||= found[at] !== 0;
    }
  }
  if (!moves) return undefined;
  // Each round reaches one block further, so that the larger side's number of them is enough.
  for (let round = Math.max(rows, columns); round > 0 && isKnown.includes(0); round--) {
    const before = isKnown.slice();
    for (const [block, flag] of before.entries()) {
      if (flag !== 0) continue;
      const near = around(block, rows, columns).filter((other) => before[other] !== 0);
      if (near.length === 0) continue;
      found[2 * block] = middleOf(near.map((other) => found[2 * other]!));
      found[2 * block + 1] = middleOf(near.map((other) => found[2 * other + 1]!));
      isKnown[block] = 1;
    }
  }
  return found;
}

/** The up to eight blocks around one. */
function around(block: number, rows: number, columns: number): number[] {
  const [row, column] = [Math.floor(block / columns), block % columns];
  const near: number[] = [];
  for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
    for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
      if (r !== row || c !== column) near.push(r * columns + c);
    }
  }
  return near;
}

/**
 * An earlier tensor moved to where its blocks are now: between four elements bilinear, beyond the edge the nearest.
 * @param framesBefore how many frames before the tensor that is concealed the reference is
 * @returns the reference itself where nothing moves
 * @throws TensorError naming what does not fit
 */
export function compensateMotion(
  reference: Float32Array,
  geometry: PlaneGeometry,
  motion: BlockMotion,
  framesBefore: number,
): Float32Array {
  const count = checkMotion(motion, geometry);
  const vectors = vectorsTo(motion, count, framesBefore);
  if (vectors === undefined) return reference;
  const { channels, height, width, channelStep, rowStep, columnStep } = geometry;
  const positions = height * width;
  /** Of each position: where it is, the four elements around where it comes from, and what they count. */
  const places = new Int32Array(5 * positions);
  const weights = new Float64Array(4 * positions);
  const rowAt = (y: number): number => Math.min(height - 1, Math.max(0, y)) * rowStep;
  const columnAt = (x: number): number => Math.min(width - 1, Math.max(0, x)) * columnStep;
  for (let y = 0, at = 0; y < height; y++) {
    const row = Math.floor(y / motion.blockHeight) * count.columns;
    for (let x = 0; x < width; x++, at++) {
      const block = row + Math.floor(x / motion.blockWidth);
      const dy = vectors[2 * block]! / motionParts;
      const dx = vectors[2 * block + 1]! / motionParts;
      const down = Math.floor(dy);
      const right = Math.floor(dx);
      const v = dy - down;
      const h = dx - right;
      const p = 5 * at;
      const w = 4 * at;
      const from = rowAt(y + down) + columnAt(x + right);
      places[p] = y * rowStep + x * columnStep;
      places[p + 1] = from;
      places[p + 2] = rowAt(y + down) + columnAt(x + right + 1);
      places[p + 3] = rowAt(y + down + 1) + columnAt(x + right);
      places[p + 4] = rowAt(y + down + 1) + columnAt(x + right + 1);
      weights[w] = (1 - v) * (1 - h);
      weights[w + 1] = (1 - v) * h;
      weights[w + 2] = v * (1 - h);
      weights[w + 3] = v * h;
    }
  }
  const moved = new Float32Array(reference.length);
  for (let c = 0; c < channels; c++) {
    const plane = c * channelStep;
    for (let at = 0; at < positions; at++) {
      const p = 5 * at;
      const w = 4 * at;
      const to = plane + places[p]!;
      // An infinity beside it would make it a NaN.
      if (weights[w] === 1) {
        moved[to] = reference[plane + places[p + 1]!]!;
        continue;
      }
      moved[to] =
        weights[w]! * reference[plane + places[p + 1]!]! +
        weights[w + 1]! * reference[plane + places[p + 2]!]! +
        weights[w + 2]! * reference[plane + places[p + 3]!]! +
        weights[w + 3]! * reference[plane + places[p + 4]!]!;
    }
  }
  return moved;
}
