import type { Tensor } from "@sluice/tensor";
import type { TensorView } from "./messages.js";

const headerBytes = 12;

/**
 * What the server keeps of a tensor (`encodeView`) beside what was sent.
 * @param sent the tensor as it left, before it was encoded
 */
export function readView(bytes: Uint8Array<ArrayBuffer>, sent: Tensor): TensorView {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = header.getUint32(0, true);
  if (count !== sent.data.length)
    throw new RangeError(`view: ${count} elements, ${sent.data.length} were sent`);
  const min = header.getFloat32(4, true);
  const max = header.getFloat32(8, true);
  const scale = max > min ? 255 / (max - min) : 0;
  const mask = headerBytes + count;
  const sentBytes = new Uint8Array(count);
  const missing = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    sentBytes[i] = Math.min(255, Math.max(0, Math.round((sent.data[i]! - min) * scale)));
    missing[i] = (bytes[mask + (i >> 3)]! >> (i & 7)) & 1;
  }
  return { shape: sent.shape, sent: sentBytes, used: bytes.slice(headerBytes, mask), missing };
}
