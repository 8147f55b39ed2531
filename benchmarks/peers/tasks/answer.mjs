/** Bytes of an answer: frame number, what was found in it, the share of the elements that came. */
export const ANSWER_BYTES = 16;

/** @returns {Uint8Array} `frame` u32, `content` i32, `receivedShare` f32 and `isIntact` u32, little-endian */
export function writeAnswer({ frame, content, receivedShare, isIntact }) {
  const answer = new DataView(new ArrayBuffer(ANSWER_BYTES));
  answer.setUint32(0, frame, true);
  answer.setInt32(4, content, true);
  answer.setFloat32(8, receivedShare, true);
  answer.setUint32(12, isIntact ? 1 : 0, true);
  return new Uint8Array(answer.buffer);
}

export function readAnswer(bytes) {
  if (bytes.length !== ANSWER_BYTES)
    throw new Error(`an answer has ${ANSWER_BYTES} bytes, got ${bytes.length}`);
  const answer = new DataView(bytes.buffer, bytes.byteOffset, ANSWER_BYTES);
  return {
    frame: answer.getUint32(0, true),
    content: answer.getInt32(4, true),
    receivedShare: answer.getFloat32(8, true),
    isIntact: answer.getUint32(12, true) === 1,
  };
}
