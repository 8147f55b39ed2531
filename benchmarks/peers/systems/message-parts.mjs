/**
 * Messages in parts that travel as datagrams: a header of 8 bytes (frame u32, index u16, count u16) before each part.
 * A message of which a part is missing never becomes whole: nothing is sent again, nothing concealed.
 */

const HEADER_BYTES = 8;
/** Messages that are waited for at once; one more, and the oldest is given up. */
const MAX_UNFINISHED = 64;

/** Cuts a message into parts of at most `maxBytes`, headers included. */
export function* cutMessage(frame, bytes, maxBytes) {
  const room = maxBytes - HEADER_BYTES;
  const count = Math.max(1, Math.ceil(bytes.byteLength / room));
  if (count > 0xffff) throw new RangeError(`${bytes.byteLength} B need more than 65,535 parts`);
  for (let index = 0; index < count; index++) {
    const payload = bytes.subarray(index * room, (index + 1) * room);
    const part = Buffer.allocUnsafe(HEADER_BYTES + payload.byteLength);
    part.writeUInt32BE(frame, 0);
    part.writeUInt16BE(index, 4);
    part.writeUInt16BE(count, 6);
    part.set(payload, HEADER_BYTES);
    yield part;
  }
}

/** Puts parts together again, in whatever order and however often they come; `onMessage(frame, bytes)` for each whole one. */
export function createMessageJoiner(onMessage) {
  const unfinished = new Map();
  return (part) => {
    if (part.byteLength < HEADER_BYTES) return;
    const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
    const [frame, index, count] = [view.getUint32(0), view.getUint16(4), view.getUint16(6)];
    if (index >= count) return;
    let message = unfinished.get(frame);
    if (message === undefined) {
      if (unfinished.size >= MAX_UNFINISHED) unfinished.delete(unfinished.keys().next().value);
      message = { parts: new Array(count), missing: count };
      unfinished.set(frame, message);
    }
    if (count !== message.parts.length || message.parts[index] !== undefined) return;
    message.parts[index] = part.subarray(HEADER_BYTES);
    message.missing -= 1;
    if (message.missing > 0) return;
    unfinished.delete(frame);
    onMessage(frame, message.parts.length === 1 ? message.parts[0] : Buffer.concat(message.parts));
  };
}
