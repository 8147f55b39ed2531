import { createHash } from "node:crypto";
import { sluice } from "@sluice/proto";
import { openStreamToWire } from "@sluice/protocol";
import { Packr } from "msgpackr";
import {
  type CapturedFrame,
  type CapturedStream,
  captureVersion,
  type ReceiverState,
} from "./capture-record.js";

/** The first bytes of every capture. */
export const captureMagic = Uint8Array.from("sluice\r\n", (letter) => letter.charCodeAt(0));
/** Each record is a map of MessagePack behind its length in bytes, as four bytes, the most significant first. */
export const lengthBytes = 4;
/** The alias in the OpenStream message of a capture, which has one stream. */
const alias = 1;

// Plain maps, so that any MessagePack library reads them.
const packr = new Packr({ useRecords: false, variableMapSize: true });

function withLength(record: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(lengthBytes + record.length);
  new DataView(bytes.buffer).setUint32(0, record.length);
  bytes.set(record, lengthBytes);
  return bytes;
}

/** How a capture begins. */
export function encodeCaptureHead({ options, ...rest }: CapturedStream): Uint8Array {
  const open = sluice.v1.OpenStream.encode(openStreamToWire(alias, options)).finish();
  const record = withLength(packr.pack({ version: captureVersion, ...rest, open }));
  const bytes = new Uint8Array(captureMagic.length + record.length);
  bytes.set(captureMagic);
  bytes.set(record, captureMagic.length);
  return bytes;
}

/** What is appended for a frame. */
export function encodeCapturedFrame(frame: CapturedFrame): Uint8Array {
  const { state, ...rest } = frame;
  return withLength(packr.pack(state === undefined ? rest : { ...rest, state: encodeState(state) }));
}

function encodeState({ last, references }: ReceiverState) {
  return {
    ...(last === undefined ? {} : { last }),
    references: references.map(({ frame, values }) => ({
      frame,
      values: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    })),
  };
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}
