// What the carriers of whole messages share: a message is the frame's number (u32, little-endian), then its bytes.
const HEADER_BYTES = 4;

export function packFrame(frame, bytes) {
  const message = new Uint8Array(HEADER_BYTES + bytes.length);
  new DataView(message.buffer).setUint32(0, frame, true);
  message.set(bytes, HEADER_BYTES);
  return message;
}

export function unpackFrame(message) {
  const frame = new DataView(message.buffer, message.byteOffset, HEADER_BYTES).getUint32(0, true);
  return { frame, bytes: message.subarray(HEADER_BYTES) };
}

/** Frames that wait for their answers, by number. */
export function createPending() {
  const waiting = new Map();
  return {
    wait: (frame) => new Promise((resolve, reject) => waiting.set(frame, { resolve, reject })),
    answer(frame, answer) {
      waiting.get(frame)?.resolve({ answer });
      waiting.delete(frame);
    },
    /** Nobody waits for this frame any more. */
    drop(frame, reason) {
      waiting.get(frame)?.resolve({ dropped: reason });
      waiting.delete(frame);
    },
    failAll(error) {
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}
