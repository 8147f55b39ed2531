// The wire without a network: slices become datagrams by the protocol's own send buffer and are read back from them.
import { decodeDatagram } from "@sluice/protocol/wire";
import { createSendBuffer } from "../../packages/protocol/dist/send-buffer.js";

/** Numbers as they are minutes after a stream was opened, so that headers have the length that they mostly have. */
const typical = { stream: 1, firstFrame: 1_000, firstSequence: 20_000, ageMs: 20 };

/**
 * Sends tensors one at a time, each in datagrams of its own.
 * @returns `send(slices)`: what arrives, and what it took: `bytes` of the datagrams (item lengths, slice headers,
 *   payloads; neither QUIC's, UDP's nor IP's), `payloadBytes` alone, and the number of `datagrams`
 */
export function createWire(maxDatagramBytes) {
  const sendBuffer = createSendBuffer();
  const datagram = new Uint8Array(maxDatagramBytes);
  let frame = typical.firstFrame;
  let sequence = typical.firstSequence;
  return {
    send(slices) {
      const outgoing = { stream: typical.stream, frame: frame++, capturedMs: 0, expiresAtMs: Infinity };
      if (!sendBuffer.push({ ...outgoing, slices, split: undefined })) {
        throw new Error(`a tensor of ${slices.length} slices does not go into the send buffer`);
      }
      const arrived = [];
      let bytes = 0;
      let datagrams = 0;
      // An empty payload waits too, but counts for no bytes.
      while (arrived.length < slices.length) {
        const end = sendBuffer.fill(datagram, 0, maxDatagramBytes, sequence++, typical.ageMs);
        if (end === 0) throw new Error(`a slice does not fit a datagram of ${maxDatagramBytes} bytes`);
        bytes += end;
        datagrams++;
        for (const { header, payload } of decodeDatagram(datagram.slice(0, end)).slices) {
          arrived.push({ index: header.index, count: header.count, payload });
        }
      }
      const payloadBytes = slices.reduce((sum, { payload }) => sum + payload.length, 0);
      return { arrived, bytes, payloadBytes, datagrams };
    },
  };
}
