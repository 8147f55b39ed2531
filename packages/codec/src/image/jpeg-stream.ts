/**
 * What a baseline JPEG file of one 8-bit component has around its scan (ITU-T T.81): it follows from quality and size
 * and is not sent (spec 6.7).
 */
import type { PlaneSize } from "../stage.js";

/** T.81, table K.1, in zigzag order. */
// biome-ignore format: a table
const luminance = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40,
  26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
  56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
  95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
];

/** T.81, tables K.3 and K.5: codes of each length from 1 to 16 bits, and their values. */
const dcTable = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
// biome-ignore format: a table
const acTable = [
  0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d,
  0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
  0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72,
  0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37,
  0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
  0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
  0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3,
  0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
  0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
  0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];

/** The quantization table of a quality from 1 to 100, as the Independent JPEG Group's software scales K.1. */
function quantizationTable(quality: number): number[] {
  const percent = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return luminance.map((step) => Math.min(255, Math.max(1, Math.floor((step * percent + 50) / 100))));
}

/** Everything from SOI to the scan's header. */
export function jpegHeader(quality: number, { width, height }: PlaneSize): Uint8Array {
  return Uint8Array.from([
    ...[0xff, 0xd8],
    ...[0xff, 0xdb, 0, 67, 0, ...quantizationTable(quality)],
    ...[0xff, 0xc0, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0],
    ...[0xff, 0xc4, 0, 3 + dcTable.length, 0x00, ...dcTable],
    ...[0xff, 0xc4, 0, 3 + acTable.length, 0x10, ...acTable],
    ...[0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0],
  ]);
}

/**
 * The scan of a file, without the zero byte behind each 0xff: no marker can stand in it.
 * @returns `undefined` where the file has not the header that goes with quality and size
 */
export function takeScan(file: Uint8Array, quality: number, size: PlaneSize): Uint8Array | undefined {
  const header = jpegHeader(quality, size);
  const segments = withoutApplicationData(file);
  if (!segments || header.some((byte, i) => byte !== segments[i])) return undefined;
  const end = segments.length - 2;
  if (segments[end] !== 0xff || segments[end + 1] !== 0xd9) return undefined;
  const scan = new Uint8Array(end - header.length);
  let length = 0;
  for (let at = header.length; at < end; at++) {
    scan[length++] = segments[at]!;
    if (segments[at] === 0xff) at++;
  }
  return scan.subarray(0, length);
}

/** The file that a scan belongs to. */
export function wrapScan(scan: Uint8Array, quality: number, size: PlaneSize): Uint8Array {
  const header = jpegHeader(quality, size);
  const file = new Uint8Array(header.length + 2 * scan.length + 2);
  file.set(header);
  let at = header.length;
  for (const byte of scan) {
    file[at++] = byte;
    if (byte === 0xff) file[at++] = 0;
  }
  file[at++] = 0xff;
  file[at++] = 0xd9;
  return file.subarray(0, at);
}

/** Leaves out the segment APP0 behind SOI, which says nothing of use. */
function withoutApplicationData(file: Uint8Array): Uint8Array | undefined {
  if (file[0] !== 0xff || file[1] !== 0xd8) return undefined;
  if (file[2] !== 0xff || file[3] !== 0xe0) return file;
  const skipped = 2 + (file[4]! << 8) + file[5]!;
  const rest = file.slice(skipped);
  rest[0] = 0xff;
  rest[1] = 0xd8;
  return rest;
}
