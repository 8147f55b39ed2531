// Control messages on the control stream (spec 4.1).
import { hex } from "./hex-text.mjs";
import { controlStream } from "./message-writer.mjs";

export const about =
  "The control stream: framing, in chunks as the transport may deliver them, and every kind of message.";

const hello = { kind: "hello", body: { versions: [1], agent: "doc/1" } };
const helloHex = hex("0c 0a0a 0a01 01 2205 646f632f31");
const open = {
  kind: "open",
  body: {
    ...{ stream: 1, spec: { name: "cut", dtype: 3, shape: [6] }, codec: "raw", mode: 1, deadlineMs: 150 },
    ...{ model: "sink", split: "cut" },
  },
};
const openHex = hex(
  "25 1a23 0801 120a 0a03637574 1003 1a0106 1a03726177 2001 289601 320473696e6b 3a03637574",
);

/** A stream of bundles (spec 6.14). */
const openBundle = {
  kind: "open",
  body: {
    stream: 3,
    spec: {
      ...{ name: "left+ids", dtype: 5, shape: [8], layout: 3 },
      parts: [
        { dtype: 1, shape: [1, 2, 3], layout: 1 },
        { dtype: 5, shape: [2] },
      ],
    },
    ...{
      codec: "quantize:levels=32,clip=6,per=tensor",
      mode: 1,
      deadlineMs: 150,
      model: "m",
      split: "left+ids",
    },
  },
};

/** Every kind with every field of it; hex by the writer of this folder. */
const full = [
  { kind: "hello", body: { versions: [2, 1], capabilities: ["a", "b"], token: "00ff", agent: "é" } },
  {
    kind: "welcome",
    body: {
      ...{ version: 1, capabilities: ["a"], agent: "s" },
      limits: {
        ...{ maxStreams: 64, maxTensorElements: 16777216, maxFramesInFlight: 32, millihertz: 29970 },
        ...{ maxTensorBytes: 67108864, maxBytesPerSecond: 4294967295 },
      },
    },
  },
  {
    kind: "open",
    body: {
      ...{ stream: 16383, spec: { name: "x", dtype: 1, shape: [64, 56, 56], layout: 1 } },
      ...{
        codec: "quantize:levels=7,clip=3,per=channel",
        mode: 3,
        deadlineMs: 2147483647,
        model: "m",
        split: "x",
      },
      ...{ concealment: "channel-mean", statisticsHash: "ab".repeat(32), fec: "f", interleave: "i" },
      ...{ urgency: 7, firstFrame: 4294967295, minReceivedPercent: 100, resultFormat: 1, resultContent: 2 },
    },
  },
  { kind: "open", body: { stream: 2, urgency: 0 } },
  { kind: "accept", body: { stream: 1, concealment: "zero" } },
  { kind: "accept", body: { stream: 2, concealment: "auto", resultFormat: 1, model: "m@3" } },
  { kind: "reject", body: { stream: 1, code: 10, reason: "no such model" } },
  { kind: "close", body: { stream: 1 } },
  { kind: "limits", body: { millihertz: 1 } },
  {
    kind: "feedback",
    body: {
      ...{
        datagramsReceived: 9007199254740991,
        bytesReceived: 4294967296,
        nextSequence: 4294967295,
        lost: 2,
      },
      ...{ lossRuns: 1, arrivalSequences: [-2147483648, 2147483647], arrivalTimes: [-1, 0], queuedFrames: 3 },
      ...{ frames: [{ stream: 1, frame: 2, unitsReceived: 3, units: 4 }, { stream: 1 }], reportTime: 1 },
      received: "ff01",
    },
  },
  {
    kind: "result",
    body: {
      ...{ stream: 1, frame: 7, outcome: 2, code: 66, concealedElements: 5, elements: 6, slicesReceived: 7 },
      ...{ slicesRecovered: 8, payload: "c0" },
      stages: { reassembly: 1, decode: 2, conceal: 3, queue: 4, inference: 5 },
    },
  },
  { kind: "resultAck", body: { stream: 1, frames: [0, 127, 128, 4294967295] } },
  { kind: "drain", body: { code: 16, reason: "bye", timeoutMs: 1000 } },
  { kind: "error", body: { code: 2, reason: "why" } },
  { kind: "ping", body: { id: 1 } },
  { kind: "pong", body: { id: 1 } },
];

/** An `Error` of `size` bytes: two tags and two lengths, of three or two bytes each, and the text. */
const sized = (size, overhead) => {
  const message = { kind: "error", body: { reason: "a".repeat(size - overhead) } };
  return { message, stream: controlStream(message) };
};
const largest = sized(65536, 8);
const medium = sized(300, 6);

const good = [
  ["spec-example-hello", [helloHex], [hello]],
  ["spec-example-open", [openHex], [open]],
  ["open-of-a-bundle", [controlStream(openBundle)], [openBundle]],
  ["two-in-one-chunk", [helloHex + openHex], [hello, open]],
  ["byte-by-byte", (helloHex + openHex).match(/../g), [hello, open]],
  ["length-over-two-chunks", [medium.stream.slice(0, 2), medium.stream.slice(2)], [medium.message]],
  ["last-not-whole", [helloHex + openHex.slice(0, 20)], [hello], "The rest may still come."],
  ["nothing", [], []],
  ["largest-message", [largest.stream], [largest.message], "65,536 bytes."],
  ["length-not-in-its-shortest-form", [hex("84 00 6a 02 08 05")], [{ kind: "ping", body: { id: 5 } }]],
  [
    "unpacked-list",
    [hex("08 0a 06 08 01 08 02 08 03")],
    [{ kind: "hello", body: { versions: [1, 2, 3] } }],
    "Readers of Protocol Buffers take lists of numbers packed and unpacked.",
  ],
  [
    "kind-set-twice",
    [hex("06 0a 02 08 01 6a 00")],
    [{ kind: "ping", body: {} }],
    "Of a oneof the last member counts.",
  ],
];

const ignored = [
  ["no-bytes", [hex("00") + helloHex], [hello]],
  ["unknown-kind", [hex("05 fa 01 02 08 01") + helloHex], [hello]],
  ["unknown-field-in-a-message", [hex("09 6a 07 08 05 fa 01 02 aa bb")], [{ kind: "ping", body: { id: 5 } }]],
  ["unknown-field-beside-the-kind", [hex("07 b8 3e 05 6a 02 08 05")], [{ kind: "ping", body: { id: 5 } }]],
];

const refused = [
  [
    "length-over-the-limit",
    [hex("81 80 04")],
    ["sluice/4.1/1", "sluice/9/1"],
    "65,537, before a byte of it has come.",
  ],
  ["length-over-32-bits", [hex("ff ff ff ff 7f")], ["sluice/4.1/1"]],
  ["length-of-six-bytes", [hex("80 80 80 80 80 00")], ["sluice/4.1/1"]],
  ["field-past-the-end", [hex("03 6a 05 08")], ["sluice/4.1/1"]],
  ["varint-cut-off", [hex("03 6a 01 80")], ["sluice/4.1/1"]],
  ["group-without-end", [hex("01 6b")], ["sluice/4.1/1"]],
  ["bad-after-a-good-message", [helloHex, hex("03 6a 05 08")], ["sluice/4.1/1"]],
];

export const cases = [
  ...good.map(([name, chunks, messages, note]) => ({
    ...{ id: `control/decode/${name}`, shows: [], op: "control-stream.decode", input: { chunks } },
    output: { messages },
    ...(note ? { note } : {}),
  })),
  ...ignored.map(([name, chunks, messages]) => ({
    ...{ id: `control/decode/${name}`, shows: ["sluice/4.1/2"], op: "control-stream.decode" },
    ...{ input: { chunks }, output: { messages } },
  })),
  ...full.flatMap((message, i) => {
    const name =
      full.findIndex(({ kind }) => kind === message.kind) < i ? `${message.kind}-short` : message.kind;
    const stream = controlStream(message);
    return [
      {
        ...{ id: `control/decode/kind-${name}`, shows: [], op: "control-stream.decode" },
        ...{ input: { chunks: [stream] }, output: { messages: [message] } },
      },
      {
        ...{ id: `control/encode/kind-${name}`, shows: [], op: "control-stream.encode" },
        ...{ input: { messages: [message] }, output: { hex: stream }, compare: "decoded" },
      },
    ];
  }),
  ...refused.map(([name, chunks, shows, note]) => ({
    ...{ id: `control/refuse/${name}`, shows, op: "control-stream.decode", input: { chunks } },
    error: "protocolViolation",
    ...(note ? { note } : {}),
  })),
];
