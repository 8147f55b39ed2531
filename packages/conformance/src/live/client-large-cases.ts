/** Results on QUIC streams of their own (spec 7.4), for clients that ask for them; to others none are sent. */
import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode } from "@sluice/protocol";
import { encodeControl, encodeResultStream } from "@sluice/protocol/wire";
import { StreamError } from "@sluice/transport";
import { type ClientContext, nextFrame } from "./client-context.js";
import type { LiveCase } from "./live-case.js";
import { type RawPeer, Unmet } from "./raw-peer.js";

/** MessagePack of so many zeros, as a value of bytes; the header takes five. */
function largePayload(bytes: number): Uint8Array {
  const payload = new Uint8Array(bytes);
  payload[0] = 0xc6;
  new DataView(payload.buffer).setUint32(1, bytes - 5);
  return payload;
}

/** Sends the result of a frame on a stream of its own, ended or reset in its middle. */
async function sendResult(
  { session }: RawPeer,
  name: { readonly stream: number; readonly frame: number },
  payloadBytes: number,
  end: "fin" | "reset" = "fin",
): Promise<void> {
  const payload = largePayload(payloadBytes);
  const bytes = encodeResultStream({ ...name, outcome: 1, elements: 1, slicesReceived: 1, payload });
  const stream = await session.openUnidirectional();
  try {
    await stream.write(end === "fin" ? bytes : bytes.subarray(0, bytes.length >> 1));
    if (end === "fin") await stream.finish();
    else stream.reset(ErrorCode.deadline);
  } catch (error) {
    // The client may stop it, or end the session; the case looks at what follows.
    if (!(error instanceof StreamError)) throw error;
  }
}

const payloadBytes = 30_000;

export const clientLargeCases: readonly LiveCase<ClientContext>[] = [
  {
    id: "7.4/large-result",
    shows: ["sluice/7.4/3"],
    async run({ accepted }) {
      const { peer, open } = await accepted();
      if (open.maxResultBytes < payloadBytes) return;
      const { stream } = open;
      const reset = await nextFrame(peer);
      await sendResult(peer, { stream, frame: reset }, payloadBytes, "reset");
      const frame = await nextFrame(peer, [reset]);
      await sendResult(peer, { stream, frame }, payloadBytes);
      const names = (of: number) => (ack: { stream: number; frames: readonly number[] }) =>
        ack.stream === stream && ack.frames.includes(of);
      await peer.next("resultAck", names(frame));
      const way = peer.heard.find(
        ({ message }) => message.kind === "resultAck" && names(frame)(message.body),
      );
      if (way?.inDatagram) throw new Unmet(`frame ${frame}: acknowledged in a datagram, which may be lost`);
      await sleep(100);
      if (peer.heard.some(({ message }) => message.kind === "resultAck" && names(reset)(message.body)))
        throw new Unmet(`frame ${reset}: its result was reset, and is acknowledged`);
      await peer.alive();
    },
  },
  {
    id: "7.4/larger-than-it-takes",
    shows: ["sluice/7.4/2"],
    async run({ accepted }) {
      const { peer, open } = await accepted();
      if (open.maxResultBytes === 0) return;
      const frame = await nextFrame(peer);
      const stream = await peer.session.openUnidirectional();
      const body = { stream: open.stream, frame, outcome: 1, payloadBytes: open.maxResultBytes + 1 };
      // Nothing of the payload: the client must not wait for it. Behind its first byte a message is its length and the result.
      await stream.write(encodeControl({ kind: "result", body }).slice(1)).catch(() => {});
      await peer.closedWith("limitExceeded");
    },
  },
  {
    id: "7.4/no-result",
    shows: ["sluice/7.4/2"],
    async run({ accepted }) {
      const { peer, open } = await accepted();
      if (open.maxResultBytes === 0) return;
      await nextFrame(peer);
      const stream = await peer.session.openUnidirectional();
      await stream.write(Uint8Array.of(0)).catch(() => {});
      await peer.closedWith("protocolViolation");
    },
  },
];
