import { type Tensor, tensorBytes } from "@sluice/tensor";
import { type ServedStream, serveEach } from "./served-model.js";

/** What `sink` answers: enough for the sender to check that what arrived is what it sent. */
export interface SinkAnswer {
  /** FNV-1a (32 bits) over the bytes of the elements that arrived, in order. */
  readonly checksum: number;
  readonly receivedFraction: number;
}

/** FNV-1a over the bytes of a tensor's elements that are not marked missing; without a mask over all of them. */
export function tensorChecksum(tensor: Tensor, missing?: Uint8Array): number {
  const bytes = tensorBytes(tensor);
  const size = tensor.data.BYTES_PER_ELEMENT;
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i += size) {
    if (missing?.[i / size]) continue;
    for (let k = i; k < i + size; k++) hash = Math.imul(hash ^ bytes[k]!, 0x01000193);
  }
  return hash >>> 0;
}

/** A model that runs no network: for measuring the protocol alone. */
export function createSinkModel(): ServedStream {
  return serveEach(async (tensor, { missing, missingCount }): Promise<SinkAnswer> => {
    const elements = tensor.data.length;
    return { checksum: tensorChecksum(tensor, missing), receivedFraction: 1 - missingCount / elements };
  });
}
