import { ModelError } from "../model-error.js";

/** An idx file of bytes (http://yann.lecun.com/exdb/mnist, "the idx file format"). */
export interface IdxFile {
  /** Sizes of the axes, outermost first. */
  readonly shape: readonly number[];
  /** In row-major order; a view into the file. */
  readonly data: Uint8Array;
}

/** The most elements of an idx file that is read: ten times the largest part of MNIST's family. */
export const maxIdxElements = 1 << 29;

/**
 * Parses an idx file: two zero bytes, the element type (8: unsigned byte), the number of axes, each axis' size as 32
 * bits big-endian, the elements.
 * @param rank the number of axes that it must have
 * @throws ModelError `unreadable` naming the file and what is wrong with it
 */
export function parseIdx(file: Uint8Array, rank: number, name = "idx"): IdxFile {
  const fail = (message: string): never => {
    throw new ModelError("unreadable", `${name}: ${message}`);
  };
  if (file.length < 4) fail(`magic: ${file.length} bytes, at least 4 are needed`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = view.getUint32(0);
  const wanted = 0x0800 | rank;
  if (magic !== wanted) fail(`magic: must be 0x${wanted.toString(16)}, is 0x${magic.toString(16)}`);
  const header = 4 + 4 * rank;
  if (file.length < header) fail(`header: ${file.length} bytes, ${header} are needed`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  if (count > maxIdxElements) fail(`size: ${count} elements, at most ${maxIdxElements} are allowed`);
  if (file.length - header !== count) {
    fail(`data: ${file.length - header} bytes, [${shape.join(", ")}] needs ${count}`);
  }
  return { shape, data: file.subarray(header) };
}
