// A tensor in eight bits for each element, as a careful user sends it: the least and the greatest value, then the steps
// between them. Deflated, for a more careful one.
import { deflateRawSync } from "node:zlib";

const HEADER_BYTES = 8;
const STEPS = 255;

/** @param {Float32Array} values */
export function packUint8(values) {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  const payload = new Uint8Array(HEADER_BYTES + values.length);
  const header = new DataView(payload.buffer);
  header.setFloat32(0, least, true);
  header.setFloat32(4, greatest, true);
  const scale = greatest > least ? STEPS / (greatest - least) : 0;
  values.forEach((value, i) => {
    payload[HEADER_BYTES + i] = Math.round((value - least) * scale);
  });
  return payload;
}

/** @returns {Float32Array} within half a step of what was packed */
export function unpackUint8(payload) {
  const header = new DataView(payload.buffer, payload.byteOffset, HEADER_BYTES);
  const least = header.getFloat32(0, true);
  const step = (header.getFloat32(4, true) - least) / STEPS;
  return Float32Array.from(payload.subarray(HEADER_BYTES), (level) => least + level * step);
}

/** @param {Float32Array} values */
export const packDeflated = (values) => new Uint8Array(deflateRawSync(packUint8(values), { level: 9 }));
