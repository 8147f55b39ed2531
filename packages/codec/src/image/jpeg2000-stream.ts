/**
 * What a JPEG 2000 codestream of one 8-bit component in one tile has around its packets (ITU-T T.800, T.814): it follows
 * from parameters and size and is not sent (spec 6.8).
 */
import type { PlaneSize } from "../stage.js";

export interface Jpeg2000Form {
  /** Whether code-blocks are those of HTJ2K (T.814). */
  readonly highThroughput: boolean;
  readonly decompositions: number;
  /** Quantization of each subband, from the lowest: exponent << 11 | mantissa. */
  readonly steps: readonly number[];
  readonly guardBits: number;
}

/** Levels of the wavelet that a plane has: as many as asked for, while its shorter side has two samples to split. */
export function decompositionsFor(wanted: number, { width, height }: PlaneSize): number {
  return Math.min(wanted, Math.floor(Math.log2(Math.min(width, height))));
}

const word = (value: number): number[] => [value >> 8, value & 255];
const long = (value: number): number[] => [...word(value >>> 16), ...word(value & 0xffff)];

function segment(marker: number, ...content: number[]): number[] {
  return [...word(marker), ...word(content.length + 2), ...content];
}

/** Everything from SOC to SOD, for packets of so many bytes. */
export function jpeg2000Header(
  form: Jpeg2000Form,
  { width, height }: PlaneSize,
  packetBytes: number,
): Uint8Array {
  const { highThroughput, decompositions, steps, guardBits } = form;
  const grid = [...long(width), ...long(height), ...long(0), ...long(0)];
  return Uint8Array.from([
    ...word(0xff4f),
    // SIZ: one tile; a component of 8 unsigned bits, not subsampled
    ...segment(0xff51, ...word(highThroughput ? 0x4000 : 0), ...grid, ...grid, ...word(1), 7, 1, 1),
    // CAP: part 15; code-blocks of HTJ2K only, irreversible, and the bits that their magnitudes may have
    ...(highThroughput ? segment(0xff50, ...long(0x00020000), ...word(0x0020 | magnitudeBits(form))) : []),
    // COD: RPCL, one layer, code-blocks of 64 x 64, the irreversible wavelet
    ...segment(0xff52, 0, 2, ...word(1), 0, decompositions, 4, 4, highThroughput ? 0x40 : 0, 0),
    // QCD: a step for each subband
    ...segment(0xff5c, (guardBits << 5) | 2, ...steps.flatMap(word)),
    // SOT: the one tile-part, up to EOC
    ...segment(0xff90, ...word(0), ...long(packetBytes + 14), 0, 1),
    ...word(0xff93),
  ]);
}

/** What is said of the bits of magnitudes in CAP (T.814, A.3.7): more than 8 of the subband that has most. */
function magnitudeBits({ steps, guardBits, decompositions }: Jpeg2000Form): number {
  const bits = steps.map((step, i) => {
    const level = decompositions - Math.floor(Math.max(0, i - 1) / 3);
    return (step >> 11) + guardBits - level;
  });
  return Math.max(0, Math.max(...bits) - 8);
}

/** @returns the packets of a codestream, `undefined` where it has another form */
export function takePackets(
  codestream: Uint8Array,
  form: Jpeg2000Form,
  size: PlaneSize,
): Uint8Array | undefined {
  const stream = withoutComment(codestream);
  const { length: headerBytes } = jpeg2000Header(form, size, 0);
  const end = stream.length - 2;
  if (stream[end] !== 0xff || stream[end + 1] !== 0xd9) return undefined;
  const header = jpeg2000Header(form, size, end - headerBytes);
  return header.some((byte, i) => byte !== stream[i]) ? undefined : stream.subarray(headerBytes, end);
}

/** The codestream that packets belong to. */
export function wrapPackets(packets: Uint8Array, form: Jpeg2000Form, size: PlaneSize): Uint8Array {
  const header = jpeg2000Header(form, size, packets.length);
  const codestream = new Uint8Array(header.length + packets.length + 2);
  codestream.set(header);
  codestream.set(packets, header.length);
  codestream.set([0xff, 0xd9], header.length + packets.length);
  return codestream;
}

/** Leaves out the COM segment, in which libraries name themselves. */
function withoutComment(stream: Uint8Array): Uint8Array {
  for (let at = 2; at + 4 <= stream.length && stream[at] === 0xff && stream[at + 1] !== 0x90; ) {
    const next = at + 2 + (stream[at + 2]! << 8) + stream[at + 3]!;
    if (stream[at + 1] === 0x64) {
      const rest = new Uint8Array(stream.length - (next - at));
      rest.set(stream.subarray(0, at));
      rest.set(stream.subarray(next), at);
      return rest;
    }
    at = next;
  }
  return stream;
}
