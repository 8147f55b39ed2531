/** quiche takes no packet, and streams are rarely written with more at once. */
const MEMORY_BYTES = 65_536;

const memory = Buffer.allocUnsafeSlow(MEMORY_BYTES);
const views: Uint8Array[] = [];

/**
 * The same bytes in memory that is always the same, for a call into the native code that has no use for them when it
 * returns. In every thread but the first that loads it, the binding (napi-rs 2.10) never gives back the objects that it
 * was handed: once a worker has been replaced, its successor would keep every packet. Longer ones stay where they are.
 */
export function lendBytes(bytes: Uint8Array): Uint8Array {
  const { byteLength } = bytes;
  if (byteLength > MEMORY_BYTES) return bytes;
  memory.set(bytes);
  let view = views[byteLength];
  if (view === undefined) {
    view = memory.subarray(0, byteLength);
    views[byteLength] = view;
  }
  return view;
}
