// Datagrams (spec 5.1, 5.4). The hex is written by hand but where a message or a filling is long.
import { hex } from "./hex-text.mjs";
import { controlItem, sliceItem } from "./message-writer.mjs";

export const about =
  "Datagrams: items with slices and with messages that may be lost, and what must be refused.";

const ping = { kind: "ping", body: { id: 5 } };
const one = { stream: 1, frame: 0, index: 0, count: 1, ageMs: 0, sequence: 0 };
const example = hex(`
  00 04 6a 02 08 05             ; ping 5
  0d 08 01 10 07 20 02 28 0c 30 03 38 ac 02 0a 0b 0c
  0a 08 01 10 07 18 01 20 02 28 0c 0d 0e 0f`);
const exampleSlices = [
  {
    header: { stream: 1, frame: 7, index: 0, count: 2, ageMs: 12, payloadBytes: 3, sequence: 300 },
    payload: "0a0b0c",
  },
  { header: { stream: 1, frame: 7, index: 1, count: 2, ageMs: 12 }, payload: "0d0e0f" },
];

const good = [
  ["empty", "", { controls: [], slices: [] }, [], "It means nothing."],
  ["spec-example", example, { controls: [ping], slices: exampleSlices }, ["sluice/5.1/1"]],
  [
    "payload-to-the-end",
    hex("06 08 01 20 01 38 00 aa bb cc"),
    { controls: [], slices: [{ header: one, payload: "aabbcc" }] },
  ],
  [
    "payload-of-no-bytes",
    hex("06 08 01 20 01 38 00"),
    { controls: [], slices: [{ header: one, payload: "" }] },
  ],
  [
    "slice-then-message",
    hex("08 08 01 20 01 30 01 38 00 aa 00 04 6a 02 08 05"),
    { controls: [ping], slices: [{ header: { ...one, payloadBytes: 1 }, payload: "aa" }] },
  ],
  [
    "two-messages-of-one-kind",
    hex("00 04 6a 02 08 05 00 04 72 02 08 05"),
    { controls: [ping, { kind: "pong", body: { id: 5 } }], slices: [] },
  ],
  [
    "message-of-no-known-kind",
    hex("00 03 fa 01 00 00 04 6a 02 08 05 ; field 31, empty; ping 5"),
    { controls: [ping], slices: [] },
    ["sluice/4.1/2"],
    "Ignored, and the datagram is read on.",
  ],
  ["message-of-no-bytes", hex("00 00"), { controls: [], slices: [] }, ["sluice/4.1/2"]],
  [
    "sequence-in-a-later-slice",
    hex("08 08 01 20 01 30 01 38 00 aa 06 08 02 20 01 38 09 bb"),
    {
      controls: [],
      slices: [
        { header: { ...one, payloadBytes: 1 }, payload: "aa" },
        { header: { ...one, stream: 2, sequence: 9 }, payload: "bb" },
      ],
    },
    [],
    "No sender may, and a receiver reads it all the same.",
  ],
  [
    "header-of-64-bytes",
    hex(`40 08 01 20 01 38 00 82 01 37 ${"ee".repeat(55)} aa ; 7 + 2 + 55 bytes`),
    { controls: [], slices: [{ header: one, payload: "aa" }] },
    [],
    "Field 16 is unknown and fills the header up to the limit.",
  ],
];

const refused = [
  ["length-cut-off", hex("80"), "malformedDatagram", ["sluice/5.1/3"]],
  ["length-without-end", hex("ff ff ff ff ff 01"), "malformedDatagram", ["sluice/5.1/3"]],
  ["header-past-the-end", hex("06 08 01 20 01"), "malformedDatagram", ["sluice/5.1/3"]],
  [
    "header-of-65-bytes",
    hex(`41 08 01 20 01 38 00 82 01 38 ${"ee".repeat(56)} aa`),
    "malformedDatagram",
    ["sluice/5.1/3", "sluice/9/1"],
  ],
  ["payload-past-the-end", hex("08 08 01 20 01 30 04 38 00 aa bb cc"), "malformedDatagram", ["sluice/5.1/3"]],
  ["header-is-no-message", hex("04 08 01 20 80 aa"), "malformedDatagram", ["sluice/5.1/3"]],
  ["alias-zero", hex("04 20 01 38 00"), "malformedDatagram", ["sluice/5.3/2"]],
  ["slice-out-of-range", hex("06 08 01 18 01 20 01"), "sliceOutOfRange", ["sluice/5.2/2"]],
  ["message-past-the-end", hex("00 05 6a 02 08 05"), "malformedDatagram", ["sluice/5.1/3"]],
  ["message-without-length", hex("00"), "malformedDatagram", ["sluice/5.1/3"]],
  ["message-is-none", hex("00 03 6a 05 08"), "protocolViolation", ["sluice/5.1/3"]],
  [
    "good-slice-before-a-bad-item",
    hex("08 08 01 20 01 30 01 38 00 aa 00 09"),
    "malformedDatagram",
    ["sluice/5.1/3"],
    "The whole datagram is refused.",
  ],
  ...[
    { kind: "hello", body: { versions: [1] } },
    { kind: "welcome", body: { version: 1 } },
    { kind: "open", body: { stream: 1 } },
    { kind: "accept", body: { stream: 1 } },
    { kind: "reject", body: { stream: 1, code: 5 } },
    { kind: "close", body: { stream: 1 } },
    { kind: "limits", body: { maxStreams: 1 } },
    { kind: "drain", body: { code: 16 } },
    { kind: "error", body: { code: 1 } },
  ].map((message) => [
    `${message.kind}-in-a-datagram`,
    controlItem(message),
    "protocolViolation",
    ["sluice/5.4/1"],
  ]),
];

const lossy = [
  { kind: "result", body: { stream: 1, frame: 3, outcome: 1, payload: "c3" } },
  { kind: "resultAck", body: { stream: 1, frames: [3, 4, 300] } },
  {
    kind: "feedback",
    body: {
      datagramsReceived: 2,
      nextSequence: 2,
      arrivalSequences: [-2, 1],
      arrivalTimes: [-5, 5],
      received: "03",
    },
  },
  { kind: "pong", body: { id: 4294967295 } },
];

export const cases = [
  ...good.map(([name, text, output, shows = [], note]) => ({
    ...{ id: `datagram/decode/${name}`, shows, op: "datagram.decode", input: { hex: text }, output },
    ...(note ? { note } : {}),
  })),
  ...lossy.map((message) => ({
    ...{ id: `datagram/decode/${message.kind}`, shows: [], op: "datagram.decode" },
    ...{ input: { hex: controlItem(message) }, output: { controls: [message], slices: [] } },
  })),
  ...refused.map(([name, text, error, shows, note]) => ({
    ...{ id: `datagram/refuse/${name}`, shows, op: "datagram.decode", input: { hex: text }, error },
    ...(note ? { note } : {}),
  })),
  {
    ...{ id: "datagram/encode/spec-example", shows: ["sluice/5.1/1", "sluice/5.1/2"], op: "datagram.encode" },
    input: { items: [{ control: ping }, ...exampleSlices.map((slice) => ({ slice }))] },
    output: { hex: example },
  },
  {
    ...{ id: "datagram/encode/three-small-tensors", shows: ["sluice/5.1/1"], op: "datagram.encode" },
    input: {
      items: [
        { slice: { header: { ...one, payloadBytes: 1 }, payload: "aa" } },
        { slice: { header: { ...one, sequence: undefined, frame: 1, payloadBytes: 1 }, payload: "bb" } },
        { slice: { header: { ...one, sequence: undefined, frame: 2 }, payload: "cc" } },
      ],
    },
    output: {
      hex: [
        sliceItem({ ...one, payloadBytes: 1 }, "aa"),
        sliceItem({ stream: 1, frame: 1, count: 1, payloadBytes: 1 }, "bb"),
        sliceItem({ stream: 1, frame: 2, count: 1 }, "cc"),
      ].join(""),
    },
  },
];
