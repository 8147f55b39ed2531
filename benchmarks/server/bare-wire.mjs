// What the control of the latency sends: a frame's bytes in as many datagrams as Sluice sends it in, each behind these
// numbers, and back the frame's number with how long it was in the engine. Nothing is encrypted, paced or sent again.
export const frameHeaderBytes = 8;
const answerBytes = 12;

export function writeHeader(datagram, { frame, index, count }) {
  datagram.writeUInt32BE(frame, 0);
  datagram.writeUInt16BE(index, 4);
  datagram.writeUInt16BE(count, 6);
}

export const readHeader = (datagram) => ({
  frame: datagram.readUInt32BE(0),
  count: datagram.readUInt16BE(6),
});

export function writeAnswer({ frame, inferenceMs }) {
  const datagram = Buffer.alloc(answerBytes);
  datagram.writeUInt32BE(frame, 0);
  datagram.writeDoubleBE(inferenceMs, 4);
  return datagram;
}

export const readAnswer = (datagram) => ({
  frame: datagram.readUInt32BE(0),
  inferenceMs: datagram.readDoubleBE(4),
});
