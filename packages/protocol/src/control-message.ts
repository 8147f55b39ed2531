import { sluice } from "@sluice/proto";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { joinChunks } from "./join-chunks.js";
import { maxControlMessageBytes } from "./limits.js";
import { decodeVarint, encodeVarint, varintBytes } from "./varint.js";

type Fields = sluice.v1.ControlMessage.$Properties;

/** Every kind of control message by its name in the oneof of control.proto. */
interface Bodies {
  hello: sluice.v1.Hello;
  welcome: sluice.v1.Welcome;
  open: sluice.v1.OpenStream;
  accept: sluice.v1.AcceptStream;
  reject: sluice.v1.RejectStream;
  close: sluice.v1.CloseStream;
  limits: sluice.v1.Limits;
  feedback: sluice.v1.Feedback;
  result: sluice.v1.Result;
  resultAck: sluice.v1.ResultAck;
  drain: sluice.v1.Drain;
  error: sluice.v1.Error;
  ping: sluice.v1.Ping;
  pong: sluice.v1.Pong;
}

export type ControlName = keyof Bodies;

/** A control message as a discriminated union: `kind` says which, `body` holds its fields. */
export type ControlMessage = {
  [Name in ControlName]: { readonly kind: Name; readonly body: Bodies[Name] };
}[ControlName];

/** A control message to be sent; absent fields take their defaults. */
export type OutgoingControl = {
  [Name in ControlName]: { readonly kind: Name; readonly body: NonNullable<Fields[Name]> };
}[ControlName];

/** The bytes of a message without a length. @throws RangeError where it is larger than the limit. */
export function encodeControl(message: OutgoingControl): Uint8Array {
  const bytes = sluice.v1.ControlMessage.encode({ [message.kind]: message.body } as Fields).finish();
  if (bytes.length > maxControlMessageBytes) {
    throw new RangeError(
      `${message.kind}: ${bytes.length} bytes, at most ${maxControlMessageBytes} are allowed`,
    );
  }
  return bytes;
}

/** The bytes of a message behind their length, as they stand on the control stream. */
export function encodeDelimitedControl(message: OutgoingControl): Uint8Array {
  const body = encodeControl(message);
  const bytes = new Uint8Array(varintBytes(body.length) + body.length);
  bytes.set(body, encodeVarint(bytes, 0, body.length));
  return bytes;
}

/** Reads one message; `undefined` where it is of a kind that this version does not know. @throws ProtocolError */
export function decodeControl(bytes: Uint8Array): ControlMessage | undefined {
  let message: sluice.v1.ControlMessage;
  try {
    message = sluice.v1.ControlMessage.decode(bytes);
  } catch {
    throw new ProtocolError(ErrorCode.protocolViolation, "control message is not a valid message");
  }
  const kind = message.message;
  return kind ? ({ kind, body: message[kind] } as unknown as ControlMessage) : undefined;
}

/** Cuts the bytes of a control stream into messages (spec 4.1). Holds at most one message's bytes. */
export function createControlDecoder(): (chunk: Uint8Array) => ControlMessage[] {
  let chunks: Uint8Array[] = [];
  let held = 0;
  /** Bytes that are needed before it is worth looking again: small chunks must not cost the square of their number. */
  let needed = 1;
  return (chunk) => {
    chunks.push(chunk.slice());
    held += chunk.length;
    if (held < needed) return [];
    const bytes = joinChunks(chunks, held);
    const messages: ControlMessage[] = [];
    const cursor = { bytes, offset: 0, end: bytes.length };
    let done = 0;
    needed = 1;
    while (done < bytes.length) {
      const length = decodeVarint(cursor);
      // A length takes at most five bytes; with fewer at hand it may still be on its way.
      if (length < 0 && bytes.length - done < 5) break;
      if (length < 0 || length > maxControlMessageBytes) {
        throw new ProtocolError(
          ErrorCode.protocolViolation,
          `control message: its length is over ${maxControlMessageBytes}`,
        );
      }
      needed = cursor.offset + length - done;
      if (done + needed > bytes.length) break;
      const message = decodeControl(bytes.subarray(cursor.offset, done + needed));
      if (message) messages.push(message);
      done += needed;
      cursor.offset = done;
      needed = 1;
    }
    held = bytes.length - done;
    chunks = held > 0 ? [bytes.slice(done)] : [];
    return messages;
  };
}
