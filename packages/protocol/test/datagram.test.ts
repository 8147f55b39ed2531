import { ErrorCode } from "@sluice/protocol";
import t from "tap";
import { encodeControl } from "#src/control-message.js";
import {
  controlItemBytes,
  decodeDatagram,
  encodeControlItem,
  encodeSliceItem,
  sliceItemBytes,
} from "#src/datagram.js";
import type { SliceHeader } from "#src/slice-header.js";

const header: SliceHeader = {
  ...{ stream: 1, frame: 5, index: 0, count: 3, ageMs: 12, payloadBytes: undefined, sequence: undefined },
};

/** Puts items one after the other. */
function build(...items: readonly ((dst: Uint8Array, offset: number) => number)[]): Uint8Array {
  const bytes = new Uint8Array(4_096);
  let end = 0;
  for (const write of items) end = write(bytes, end);
  return bytes.subarray(0, end);
}

const slice = (fields: Partial<SliceHeader>, payload: Uint8Array) => (dst: Uint8Array, offset: number) => {
  const full = { ...header, ...fields };
  const end = encodeSliceItem(dst, offset, full, payload);
  if (end - offset !== sliceItemBytes(full, payload.length)) throw new Error("sliceItemBytes is wrong");
  return end;
};
const control = (body: Uint8Array) => (dst: Uint8Array, offset: number) => {
  const end = encodeControlItem(dst, offset, body);
  if (end - offset !== controlItemBytes(body)) throw new Error("controlItemBytes is wrong");
  return end;
};
const ping = encodeControl({ kind: "ping", body: { id: 7 } });
const raw =
  (...bytes: readonly number[]) =>
  (dst: Uint8Array, offset: number) => {
    dst.set(bytes, offset);
    return offset + bytes.length;
  };

t.test("several slices and messages share a datagram; the last slice runs to the end", async (t) => {
  const payloads = [Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(200).fill(9)] as const;
  const { slices, controls } = decodeDatagram(
    build(
      control(ping),
      slice({ payloadBytes: 3, sequence: 77 }, payloads[0]),
      control(encodeControl({ kind: "pong", body: { id: 8 } })),
      slice({ index: 1, payloadBytes: 0 }, payloads[1]),
      slice({ index: 2 }, payloads[2]),
    ),
  );
  t.same(slices, [
    { header: { ...header, payloadBytes: 3, sequence: 77 }, payload: payloads[0] },
    { header: { ...header, index: 1, payloadBytes: 0 }, payload: payloads[1] },
    { header: { ...header, index: 2 }, payload: payloads[2] },
  ]);
  t.match(controls, [
    { kind: "ping", body: { id: 7 } },
    { kind: "pong", body: { id: 8 } },
  ]);
});

t.test("an empty datagram, an empty message, one of an unknown kind and an empty payload", async (t) => {
  t.same(decodeDatagram(new Uint8Array(0)), { slices: [], controls: [] });
  t.same(decodeDatagram(Uint8Array.of(0, 0)), { slices: [], controls: [] });
  // Field 200 of the oneof, length-delimited and empty.
  t.same(decodeDatagram(Uint8Array.of(0, 3, 0xc2, 0x0c, 0x00)), { slices: [], controls: [] });
  t.equal(decodeDatagram(build(slice({}, new Uint8Array(0)))).slices[0]?.payload.length, 0);
});

t.test("a message that must not be lost may not stand in a datagram", async (t) => {
  const kinds = [
    encodeControl({ kind: "hello", body: {} }),
    encodeControl({ kind: "open", body: { stream: 1 } }),
    encodeControl({ kind: "close", body: { stream: 1 } }),
    encodeControl({ kind: "limits", body: {} }),
    encodeControl({ kind: "drain", body: {} }),
    encodeControl({ kind: "error", body: { code: 1 } }),
  ];
  for (const body of kinds) {
    t.throws(() => decodeDatagram(build(control(body))), {
      ...{ code: ErrorCode.protocolViolation, message: /not allowed in a datagram/ },
    });
  }
});

t.test("what does not fit is malformed", async (t) => {
  const valid = build(slice({ sequence: 1 }, Uint8Array.of(1)));
  const cases: Record<string, { bytes: Uint8Array; code?: number; message: RegExp }> = {
    "a header of 65 bytes": {
      bytes: build(raw(65), raw(...new Array<number>(65).fill(0))),
      message: /slice header/,
    },
    "a header beyond the end": { bytes: valid.subarray(0, 4), message: /slice header/ },
    "a length that is cut off": { bytes: Uint8Array.of(0x80), message: /slice header/ },
    "a payload beyond the end": {
      bytes: build(slice({ payloadBytes: 9 }, Uint8Array.of(1))),
      message: /payload: 9/,
    },
    "a payload of 2^32 - 1": {
      ...{
        bytes: build(slice({ payloadBytes: 0xffffffff }, Uint8Array.of(1))),
        message: /payload: 4294967295/,
      },
    },
    "a message without its length": { bytes: Uint8Array.of(0), message: /control message/ },
    "a message beyond the end": { bytes: Uint8Array.of(0, 9, 0x6a), message: /control message: 9/ },
    "a message over the limit": { bytes: Uint8Array.of(0, 0x81, 0x80, 0x04), message: /length of a control/ },
    "a message that is none": {
      ...{ bytes: Uint8Array.of(0, 1, 0xff), code: ErrorCode.protocolViolation, message: /not a valid/ },
    },
  };
  for (const [name, { bytes, code = ErrorCode.malformedDatagram, message }] of Object.entries(cases)) {
    t.throws(() => decodeDatagram(bytes), { name: "ProtocolError", code, message }, name);
  }
});
