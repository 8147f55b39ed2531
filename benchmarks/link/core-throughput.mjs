// How fast one core cuts, frames, parses and reassembles tensors: the protocol without transport, codec or model.
import { decodeDatagram } from "../../packages/protocol/dist/datagram.js";
import { createReassembly } from "../../packages/protocol/dist/reassembly.js";
import { createSendBuffer } from "../../packages/protocol/dist/send-buffer.js";
import { maxSlicePayloadBytes } from "../../packages/protocol/dist/tensor-framing.js";
import { sliceBytes } from "../../packages/protocol/dist/test/virtual-session.js";

const tensorBytes = 401_408;
const maxDatagramBytes = 1_200;
const rttMs = 40;

/** Megabytes of tensors per second over `frames` of them; throws where one is not whole. */
export function measureCore(frames) {
  const reassembly = createReassembly();
  reassembly.openStream(1, {
    ...{ units: tensorBytes, maxFrameBytes: 1 << 26, deadlineMs: 1_000, releaseQuiet: true, minReceived: 0 },
    fecSpan: 0,
  });
  const sendBuffer = createSendBuffer();
  const tensor = new Uint8Array(tensorBytes).fill(7);
  let sequence = 0;
  const startMs = performance.now();
  for (let frame = 0; frame < frames; frame++) {
    const slices = sliceBytes(tensor, maxSlicePayloadBytes(maxDatagramBytes));
    const outgoing = {
      stream: 1,
      frame,
      capturedMs: frame,
      expiresAtMs: Number.POSITIVE_INFINITY,
      urgency: 3,
    };
    sendBuffer.push({ ...outgoing, slices, split: undefined });
    while (sendBuffer.bytes > 0) {
      const datagram = new Uint8Array(maxDatagramBytes);
      const end = sendBuffer.fill(datagram, 0, maxDatagramBytes, sequence++, frame);
      for (const { header, payload } of decodeDatagram(datagram.subarray(0, end)).slices) {
        reassembly.add(header, payload, frame, rttMs);
      }
    }
    if (reassembly.poll(frame)?.unitsReceived !== tensorBytes) throw new Error(`frame ${frame} is not whole`);
  }
  return (frames * tensorBytes) / 1e3 / (performance.now() - startMs);
}
