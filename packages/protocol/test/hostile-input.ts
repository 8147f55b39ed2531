/** Bytes that no honest peer sends, for property tests: random ones, and valid ones with faults. */

import { ErrorCode } from "@sluice/protocol";
import fc from "fast-check";
import { encodeControl, encodeDelimitedControl, type OutgoingControl } from "#src/control-message.js";
import { encodeControlItem, encodeSliceItem } from "#src/datagram.js";
import { encodeTensor } from "#src/tensor-framing.js";
import { openStreamToWire } from "#src/tensor-stream.js";
import { streamOptions } from "./virtual-session.js";

/** Codes that a session may end with, unless the peer named another one in an error message. */
export const registryCodes: ReadonlySet<number> = new Set(Object.values(ErrorCode));

const fromClients: readonly OutgoingControl[] = [
  { kind: "hello", body: { versions: [1], agent: "test", capabilities: ["a", "b"] } },
  { kind: "open", body: openStreamToWire(2, streamOptions) },
  { kind: "open", body: openStreamToWire(3, { ...streamOptions, mode: "reliable" }) },
  { kind: "close", body: { stream: 2 } },
  { kind: "resultAck", body: { stream: 1, frames: [0, 1, 2] } },
];
const fromServers: readonly OutgoingControl[] = [
  { kind: "welcome", body: { version: 1, agent: "test", limits: { maxStreams: 4, millihertz: 30_000 } } },
  { kind: "accept", body: { stream: 1, concealment: "zero" } },
  { kind: "reject", body: { stream: 1, code: 9, reason: "large" } },
  { kind: "limits", body: { maxFramesInFlight: 2 } },
  {
    kind: "feedback",
    body: {
      ...{
        datagramsReceived: 9,
        bytesReceived: 900,
        nextSequence: 10,
        lost: 1,
        lossRuns: 1,
        queuedFrames: 1,
      },
      ...{ arrivalSequences: [1, 2, 3], arrivalTimes: [10, 20, 30], reportTime: 40 },
      frames: [{ stream: 1, frame: 0, unitsReceived: 10, units: 20 }],
    },
  },
  {
    kind: "result",
    body: { stream: 1, frame: 0, outcome: 1, stages: { decode: 5 }, payload: new Uint8Array(9) },
  },
  { kind: "result", body: { stream: 1, frame: 1, outcome: 2, code: 64 } },
];
const fromBoth: readonly OutgoingControl[] = [
  { kind: "ping", body: { id: 1 } },
  { kind: "pong", body: { id: 1 } },
  { kind: "drain", body: { code: 16, reason: "bye" } },
  { kind: "error", body: { code: 5, reason: "no" } },
];
const messages = [...fromClients, ...fromServers, ...fromBoth];

const headers = fc.record({
  stream: fc.oneof(fc.constant(1), fc.constantFrom(0, 2, 16_383, 16_384)),
  frame: fc.oneof(fc.nat(6), fc.constantFrom(0x7fffffff, 0xffffffff)),
  index: fc.oneof(fc.nat(8), fc.constantFrom(5_119, 1 << 23, 0xffffffff)),
  count: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(0, 5_120, 5_121, 1 << 24, 0xffffffff)),
  ageMs: fc.oneof(fc.nat(200), fc.constant(0xffffffff)),
  payloadBytes: fc.oneof(fc.constant(undefined), fc.nat(60), fc.constant(0xffffffff)),
  sequence: fc.oneof(fc.nat(50), fc.constantFrom(undefined, 0xffffffff)),
});

const sliceItem = fc.tuple(headers, fc.uint8Array({ maxLength: 60 })).map(([header, payload]) => {
  const bytes = new Uint8Array(64 + payload.length);
  return bytes.slice(0, encodeSliceItem(bytes, 0, header, payload));
});
const controlItem = fc.constantFrom(...messages).map((message) => {
  const body = encodeControl(message);
  const bytes = new Uint8Array(body.length + 6);
  return bytes.slice(0, encodeControlItem(bytes, 0, body));
});

function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** One fault in the bytes; positions are taken modulo the length. */
const fault = fc.oneof(
  fc.record({
    type: fc.constant("set" as const),
    at: fc.nat(2_000),
    value: fc.integer({ min: 0, max: 255 }),
  }),
  fc.record({
    type: fc.constant("insert" as const),
    at: fc.nat(2_000),
    bytes: fc.uint8Array({ maxLength: 6 }),
  }),
  fc.record({
    type: fc.constant("remove" as const),
    at: fc.nat(2_000),
    length: fc.integer({ min: 1, max: 8 }),
  }),
  fc.record({ type: fc.constant("cut" as const), at: fc.nat(2_000) }),
);

function withFaults(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(valid, fc.array(fault, { maxLength: 3 })).map(([bytes, faults]) => {
    let result = bytes;
    for (const { at: anywhere, ...change } of faults) {
      const at = result.length > 0 ? anywhere % result.length : 0;
      if (change.type === "set" && result.length > 0) result = result.with(at, change.value);
      else if (change.type === "insert") result = join([result.slice(0, at), change.bytes, result.slice(at)]);
      else if (change.type === "remove")
        result = join([result.slice(0, at), result.slice(at + change.length)]);
      else if (change.type === "cut") result = result.slice(0, at);
    }
    return result;
  });
}

const random = fc.uint8Array({ maxLength: 200 });

export const hostileDatagram = fc.oneof(
  { weight: 1, arbitrary: random },
  {
    weight: 4,
    arbitrary: withFaults(fc.array(fc.oneof(sliceItem, controlItem), { maxLength: 5 }).map(join)),
  },
);

export const hostileControl = fc.oneof(
  { weight: 1, arbitrary: random },
  {
    weight: 4,
    arbitrary: withFaults(
      fc
        .array(fc.constantFrom(...messages), { maxLength: 4 })
        .map((list) => join(list.map(encodeDelimitedControl))),
    ),
  },
);

export const hostileTensor = fc.oneof(
  { weight: 1, arbitrary: random },
  { weight: 2, arbitrary: withFaults(fc.array(sliceItem, { maxLength: 4 }).map(join)) },
  {
    weight: 2,
    arbitrary: withFaults(
      fc
        .tuple(fc.nat(5), fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 5 }))
        .map(([frame, payloads]) =>
          encodeTensor(
            1,
            frame,
            payloads.map((payload, index) => ({ index, count: payloads.length, payload })),
            5,
          ),
        ),
    ),
  },
);

/** What a peer does to a session, in any order. */
export const hostileStep = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant("control" as const), bytes: hostileControl }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant("datagram" as const), bytes: hostileDatagram }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("tensor" as const), id: fc.nat(2), bytes: hostileTensor }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("end" as const), id: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("time" as const), ms: fc.constantFrom(1, 15, 100, 6_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("size" as const), bytes: fc.constantFrom(0, 3, 30, 1_200) }),
  },
);

export type HostileStep = typeof hostileStep extends fc.Arbitrary<infer Step> ? Step : never;
