/** A client that speaks the wire by hand, with the generated code alone, and so can break every rule. */
import { connect } from "@sluice/http3";
import { sluice } from "@sluice/proto";
import type { BidirectionalStream, Session } from "@sluice/transport";

type Message = sluice.v1.ControlMessage.$Properties;

export interface RawSession {
  readonly session: Session;
  readonly control: BidirectionalStream;
  say(message: Message): Promise<void>;
  /** Reads the control stream until a message of this kind has come. */
  waitFor(kind: NonNullable<sluice.v1.ControlMessage["message"]>): Promise<void>;
  /** Sends a slice in a datagram of its own. */
  sendSlice(header: sluice.v1.SliceHeader.$Properties, payload: Uint8Array): void;
}

export const hello: Message = { hello: { versions: [1], agent: "raw" } };

/** Opens alias 1: 5,120 bytes as they are. */
export function openMessage(mode: "datagram" | "reliable"): Message {
  const spec = { dtype: sluice.v1.Dtype.UINT8, shape: [5_120], layout: sluice.v1.Layout.ANY };
  const wireMode = mode === "datagram" ? sluice.v1.DeliveryMode.DATAGRAM : sluice.v1.DeliveryMode.RELIABLE;
  return { open: { stream: 1, spec, codec: "raw", mode: wireMode, deadlineMs: 200, model: "sink" } };
}

/** A slice behind its header and the header's length. */
export function sliceItem(header: sluice.v1.SliceHeader.$Properties, payload: Uint8Array): Uint8Array {
  const bytes = sluice.v1.SliceHeader.encode(header).finish();
  return Uint8Array.from(Buffer.concat([Buffer.of(bytes.length), bytes, payload]));
}

/** @param thread where QUIC runs, as `ConnectOptions` has it */
export async function connectRaw(
  url: string,
  certificateHash: string,
  thread: "worker" | "caller" = "worker",
): Promise<RawSession> {
  const session = await connect(url, { certificateHash, thread });
  const control = await session.openBidirectional();
  let held = Buffer.alloc(0);

  async function waitFor(kind: string): Promise<void> {
    for (;;) {
      const message = nextMessage();
      if (message?.message === kind) return;
      if (message) continue;
      const chunk = await control.receive.read();
      if (!chunk) throw new Error(`the control stream ended before ${kind}`);
      held = Buffer.concat([held, chunk]);
    }
  }

  /** Messages here are shorter than 128 bytes, so that their length is one byte. */
  function nextMessage(): sluice.v1.ControlMessage | undefined {
    const length = held[0] ?? 0;
    if (length > 127) throw new Error("a long message");
    if (held.length < 1 + length) return undefined;
    if (held.length === 0) return undefined;
    const message = sluice.v1.ControlMessage.decode(held.subarray(1, 1 + length));
    held = held.subarray(1 + length);
    return message;
  }

  return {
    ...{ session, control, waitFor },
    say(message) {
      const body = sluice.v1.ControlMessage.encode(message).finish();
      if (body.length > 127) throw new Error("a long message");
      return control.send.write(Uint8Array.of(body.length, ...body));
    },
    sendSlice(header, payload) {
      session.sendDatagram(sliceItem(header, payload));
    },
  };
}
