import { MessageChannel } from "node:worker_threads";

const { port1: nowhere } = new MessageChannel();
nowhere.close();

/** What is smaller is left to the collector: giving it back by itself costs as much. */
const LEAST_BYTES = 4_096;

/**
 * Gives back the memory under these bytes at once, as far as they are all of it; they are empty from then on. The
 * collector counts memory outside of its heap, and walks through the whole heap for each few dozen megabytes of it that
 * came and went: on a stream of large tensors that was a third of all the time. A buffer that is sent where nobody
 * listens is gone with the message.
 */
export function freeMemory(used: readonly Uint8Array[]): void {
  const buffers: ArrayBuffer[] = [];
  for (const { buffer, byteLength } of used) {
    if (byteLength >= LEAST_BYTES && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer)
      buffers.push(buffer);
  }
  if (buffers.length > 0) nowhere.postMessage(undefined, buffers);
}
