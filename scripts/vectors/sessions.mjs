// Sessions: scripts of what comes from the peer, with virtual times, and what must follow (spec 2 to 5, 7, 8).
import { repairPayload } from "./fec.mjs";
import { hex } from "./hex-text.mjs";
import { controlItem, controlStream, sliceItem } from "./message-writer.mjs";

export const about =
  "Scripts for one side of a session on virtual time. README.md says what a step holds and how it is judged.";

// What steps hold.
const wait = (at, expect = {}) => ({ at, expect });
const says = (at, messages, expect = {}) => {
  const list = [messages].flat();
  return { at, input: { control: controlStream(...list) }, meaning: list, expect };
};
const bytes = (at, text, expect = {}) => ({ at, input: { control: hex(text) }, expect });
const datagram = (at, text, expect = {}) => ({ at, input: { datagram: text }, expect });
const does = (at, action, expect = {}) => ({ at, input: action, expect });

const message = (kind, body = {}) => ({ kind, body });
const hello = message("hello", { versions: [1], agent: "vector" });
const welcome = message("welcome", { version: 1, agent: "vector" });
const openBody = {
  ...{ stream: 1, spec: { dtype: 3, shape: [6] }, codec: "raw", mode: 1, deadlineMs: 200, model: "sink" },
  concealment: "zero",
};
const open = (fields = {}) => message("open", { ...openBody, ...fields });
const accept = (stream = 1) => message("accept", { stream, concealment: "zero" });
const slice = (fields, payload, sequence) =>
  sliceItem(
    { stream: 1, frame: 0, index: 0, count: 1, ...fields, ...(sequence === undefined ? {} : { sequence }) },
    payload,
  );
const whole = (frame, sequence, stream = 1) => slice({ stream, frame }, "010203040506", sequence);
const done = (frame, fields = {}) => message("result", { stream: 1, frame, outcome: 1, ...fields });
const ack = (...frames) => message("resultAck", { stream: 1, frames });

/** Messages that only a client or only a server sends. */
const fromClient = [hello, open(), message("close", { stream: 1 }), ack(0)];
const fromServer = [
  welcome,
  accept(),
  message("reject", { stream: 1, code: 10 }),
  message("limits", { maxStreams: 1 }),
  message("feedback", { datagramsReceived: 1 }),
  done(0),
];
const fromBoth = [message("ping", { id: 1 }), message("pong", { id: 1 }), message("drain", { code: 16 })];

const server = (id, shows, steps, options = {}) => ({
  id: `server/${id}`,
  shows,
  role: "server",
  options,
  steps,
});
const client = (id, shows, steps, options = {}) => ({
  id: `client/${id}`,
  shows,
  role: "client",
  options,
  steps,
});

const isWelcome = { says: [message("welcome", { version: 1 })] };
const welcomed = says(0, hello, isWelcome);
const accepted = says(10, open(), { says: [accept()] });
const ended = (code) => ({ closed: code });
/** The session goes on: it answers. */
const lives = (at) => says(at, message("ping", { id: 77 }), { says: [message("pong", { id: 77 })] });

const serverHandshake = [
  server("hello", ["sluice/2.2/2"], [welcomed, lives(10)]),
  server(
    "hello-among-versions",
    ["sluice/2.2/3"],
    [says(0, message("hello", { versions: [9, 1] }), isWelcome)],
  ),
  server(
    "no-common-version",
    ["sluice/2.2/3"],
    [says(0, message("hello", { versions: [2] }), ended("unsupportedVersion"))],
  ),
  server(
    "no-version-at-all",
    ["sluice/2.2/3"],
    [says(0, message("hello", { agent: "x" }), ended("unsupportedVersion"))],
  ),
  server("token-missing", ["sluice/2.2/3"], [says(0, hello, ended("unauthorized"))], { token: "c0ffee" }),
  server(
    "token-wrong",
    ["sluice/2.2/3"],
    [says(0, message("hello", { versions: [1], token: "c0ffef" }), ended("unauthorized"))],
    { token: "c0ffee" },
  ),
  server(
    "token-right",
    ["sluice/2.2/3"],
    [says(0, message("hello", { versions: [1], token: "c0ffee" }), isWelcome)],
    { token: "c0ffee" },
  ),
  server("no-hello", ["sluice/2.2/4"], [wait(4900), wait(5100, ended("handshakeTimeout"))]),
  server("part-of-a-hello", ["sluice/2.2/4"], [bytes(0, "0c 0a 0a"), wait(5100, ended("handshakeTimeout"))]),
  ...[...fromClient.slice(1), ...fromServer, ...fromBoth].map((first) =>
    server(`${first.kind}-before-hello`, ["sluice/2.2/5"], [says(0, first, ended("protocolViolation"))]),
  ),
  server("second-hello", ["sluice/2.2/5"], [welcomed, says(10, hello, ended("protocolViolation"))]),
  server(
    "error-before-hello",
    ["sluice/2.2/5"],
    [says(0, message("error", { code: 5, reason: "no" }), ended("limitExceeded"))],
  ),
  server(
    "error",
    [],
    [welcomed, says(10, message("error", { code: 14, reason: "no" }), ended("overloaded"))],
  ),
  server(
    "datagrams-before-hello",
    ["sluice/2.2/6"],
    [
      datagram(0, controlItem(message("ping", { id: 5 })), { silent: ["pong"] }),
      datagram(1, whole(0, 0), { silent: ["result"] }),
      says(2, hello, isWelcome),
      lives(10),
    ],
  ),
  server(
    "hello-with-65-versions",
    ["sluice/4.2/1", "sluice/9/1"],
    [says(0, message("hello", { versions: Array(65).fill(1) }), ended("limitExceeded"))],
  ),
  server(
    "hello-with-64-versions",
    ["sluice/4.2/1"],
    [says(0, message("hello", { versions: Array(64).fill(1) }), isWelcome)],
  ),
  server(
    "hello-with-65-capabilities",
    ["sluice/4.2/1", "sluice/9/1"],
    [says(0, message("hello", { versions: [1], capabilities: Array(65).fill("x") }), ended("limitExceeded"))],
  ),
  server(
    "hello-with-a-long-token",
    ["sluice/4.2/1", "sluice/9/1"],
    [says(0, message("hello", { versions: [1], token: "00".repeat(4097) }), ended("limitExceeded"))],
  ),
  server(
    "unknown-capabilities",
    ["sluice/4.2/2"],
    [says(0, message("hello", { versions: [1], capabilities: ["x-nobody-knows"] }), isWelcome), lives(10)],
  ),
];

const serverControl = [
  ...fromServer.map((wrong) =>
    server(
      `${wrong.kind}-from-a-client`,
      ["sluice/4.1/3"],
      [welcomed, says(10, wrong, ended("protocolViolation"))],
    ),
  ),
  server("drain-from-a-client", [], [welcomed, says(10, message("drain", { code: 16 })), lives(20)]),
  server(
    "message-over-the-limit",
    ["sluice/4.1/1", "sluice/9/1"],
    [welcomed, bytes(10, "81 80 04", ended("protocolViolation"))],
  ),
  server(
    "message-that-is-none",
    ["sluice/4.1/1"],
    [welcomed, bytes(10, "03 6a 05 08", ended("protocolViolation"))],
  ),
  server(
    "message-of-no-known-kind",
    ["sluice/4.1/2"],
    [welcomed, bytes(10, "05 fa 01 02 08 01 00"), lives(20)],
  ),
  server(
    "ping",
    ["sluice/5.7/1"],
    [
      welcomed,
      says(10, message("ping", { id: 4294967295 }), { says: [message("pong", { id: 4294967295 })] }),
      datagram(20, controlItem(message("ping", { id: 6 })), { says: [message("pong", { id: 6 })] }),
    ],
  ),
  server("pong-that-nobody-waits-for", [], [welcomed, says(10, message("pong", { id: 999999 })), lives(20)]),
];

const refusal = (id, code, fields, options = {}, first = []) =>
  server(
    `refuse/${id}`,
    ["sluice/4.3/2", ...(id.startsWith("fec") || id.startsWith("interleave") ? ["sluice/5.8/1"] : [])],
    [
      welcomed,
      ...first,
      says(20, open({ stream: 8, ...fields }), { says: [message("reject", { stream: 8, code })] }),
      ...(first.length > 0 ? [] : [says(30, open({ stream: 9 }), { says: [accept(9)] })]),
    ],
    options,
  );

/** Halves of a frame in the datagrams 0 and 1, and a symbol over them in the datagram 2. */
const halves = [0, 1].map((index) => ({
  sequence: index,
  hex: slice({ index, count: 2 }, index === 0 ? "010203" : "040506", index),
}));
const symbol = (fields = {}, row = 0, datagrams = halves) =>
  slice({ index: row, count: 9, repair: 2, ...fields }, repairPayload(datagrams, row), fields.sequence ?? 2);
const protectedStream = says(10, open({ fec: "rs" }), { says: [accept()] });
const whole6 = { elements: 6, concealedElements: 0 };
const withPing = { sequence: 1, hex: `${controlItem(message("ping", { id: 9 }))}${halves[1].hex}` };

const serverRecovery = [
  server(
    "fec/lost-and-recovered",
    ["sluice/5.8/4", "sluice/5.8/6"],
    [
      welcomed,
      protectedStream,
      datagram(20, halves[0].hex, { silent: ["result"] }),
      datagram(21, symbol(), { says: [done(0, { ...whole6, slicesReceived: 1, slicesRecovered: 1 })] }),
      wait(60, {
        says: [
          message("feedback", {
            datagramsReceived: 2,
            nextSequence: 3,
            lost: 1,
            received: "05",
            recovered: "02",
          }),
        ],
      }),
    ],
  ),
  server(
    "fec/both-lost",
    ["sluice/5.8/4"],
    [
      welcomed,
      protectedStream,
      datagram(20, symbol({}, 5), { silent: ["result"] }),
      datagram(21, symbol({ sequence: 3, repair: 3 }, 1), {
        says: [done(0, { ...whole6, slicesRecovered: 2 })],
      }),
    ],
  ),
  server(
    "fec/symbol-before-its-datagrams",
    ["sluice/5.8/4"],
    [
      welcomed,
      protectedStream,
      datagram(20, symbol(), { silent: ["result"] }),
      datagram(21, halves[1].hex, { says: [done(0, { ...whole6, slicesReceived: 1, slicesRecovered: 1 })] }),
    ],
  ),
  server(
    "fec/recovered-message",
    ["sluice/5.8/6"],
    [
      welcomed,
      protectedStream,
      datagram(20, halves[0].hex),
      datagram(21, symbol({}, 0, [halves[0], withPing]), { says: [done(0, whole6)], silent: ["pong"] }),
    ],
  ),
  server(
    "fec/symbol-that-lies",
    ["sluice/5.8/7"],
    [
      welcomed,
      protectedStream,
      datagram(20, halves[0].hex),
      datagram(21, symbol({ index: 1 }), { silent: ["result"] }),
      lives(30),
    ],
  ),
  server(
    "fec/symbol-that-comes-twice",
    [],
    [
      welcomed,
      protectedStream,
      datagram(20, symbol()),
      datagram(21, symbol(), { silent: ["result"] }),
      datagram(22, halves[0].hex, { says: [done(0, whole6)] }),
      datagram(23, symbol(), { silent: ["result"] }),
      lives(30),
    ],
  ),
  ...[
    ["protects-itself", { repair: 0 }, "0101030000"],
    ["protects-what-comes-later", { repair: 1 }, "0103030000"],
    ["before-the-first", { repair: 3 }, "0101030000"],
    ["no-map", { repair: 2 }, "00"],
    ["symbol-too-short", { repair: 2 }, "01010300"],
  ].map(([name, fields, payload]) =>
    server(
      `fec/${name}`,
      ["sluice/5.8/5"],
      [welcomed, protectedStream, datagram(20, slice(fields, payload, 2), ended("malformedDatagram"))],
    ),
  ),
  server(
    "fec/symbol-of-a-stream-never-opened",
    ["sluice/5.3/4"],
    [welcomed, protectedStream, datagram(20, symbol({ stream: 2 }), ended("unknownStream"))],
  ),
];

const serverStreams = [
  server("open", [], [welcomed, accepted]),
  server(
    "open-same-alias",
    ["sluice/4.3/1"],
    [welcomed, accepted, says(20, open(), ended("protocolViolation"))],
  ),
  server(
    "open-lower-alias",
    ["sluice/4.3/1"],
    [
      welcomed,
      says(10, open({ stream: 5 }), { says: [accept(5)] }),
      says(20, open({ stream: 4 }), ended("protocolViolation")),
    ],
  ),
  server(
    "open-alias-zero",
    ["sluice/4.3/1"],
    [welcomed, says(10, open({ stream: 0 }), ended("protocolViolation"))],
  ),
  server(
    "open-highest-alias",
    ["sluice/4.3/1"],
    [welcomed, says(10, open({ stream: 16383 }), { says: [accept(16383)] })],
  ),
  server(
    "open-alias-too-high",
    ["sluice/4.3/1", "sluice/9/1"],
    [welcomed, says(10, open({ stream: 16384 }), ended("protocolViolation"))],
  ),
  server(
    "open-alias-of-a-rejected-stream",
    ["sluice/4.3/1"],
    [
      welcomed,
      says(10, open({ model: "nobody" }), { says: [message("reject", { stream: 1, code: 10 })] }),
      says(20, open(), ended("protocolViolation")),
    ],
  ),
  refusal("too-many", 5, {}, { limits: { maxStreams: 1 } }, [accepted]),
  refusal("mode-0", 13, { mode: 0 }),
  refusal("mode-4", 13, { mode: 4 }),
  refusal("dtype-0", 13, { spec: { shape: [6] } }),
  refusal("dtype-6", 13, { spec: { dtype: 6, shape: [6] } }),
  refusal("no-spec", 13, { spec: undefined }),
  refusal("layout-3", 13, { spec: { dtype: 3, shape: [1, 2, 3], layout: 3 } }),
  refusal("nine-axes", 13, { spec: { dtype: 3, shape: [1, 1, 1, 1, 1, 1, 1, 1, 6] } }),
  refusal("axis-of-0", 13, { spec: { dtype: 3, shape: [6, 0] } }),
  refusal("layout-on-two-axes", 13, { spec: { dtype: 3, shape: [2, 3], layout: 1 } }),
  refusal(
    "elements-over-max-units",
    13,
    { spec: { dtype: 3, shape: [16777217] } },
    { limits: { maxTensorElements: 0 } },
  ),
  refusal(
    "elements-over-the-limit",
    9,
    { spec: { dtype: 3, shape: [101] } },
    { limits: { maxTensorElements: 100 } },
    [wait(15)],
  ),
  refusal(
    "elements-over-both",
    9,
    { spec: { dtype: 3, shape: [16777217] } },
    { limits: { maxTensorElements: 100 } },
  ),
  refusal("deadline-0", 13, { deadlineMs: 0 }),
  refusal("deadline-too-long", 13, { deadlineMs: 2147483648 }),
  ...["model", "split", "codec", "concealment"].map((field) =>
    refusal(`${field}-of-1025-characters`, 13, { [field]: "a".repeat(1025) }),
  ),
  refusal("concealment-unknown", 13, { concealment: "guess" }),
  refusal("model-unknown", 10, { model: "nobody" }),
  refusal("split-unknown", 11, { split: "nowhere" }),
  refusal("codec-unknown", 12, { codec: "zip" }),
  refusal("codec-needs-statistics", 12, { codec: "quantize:levels=7,clip=3,per=channel" }),
  refusal("statistics-unknown", 18, { statisticsHash: "ab".repeat(32) }),
  refusal("concealment-needs-statistics", 18, { concealment: "data-set-mean" }),
  refusal("fec-unknown", 20, { fec: "x" }),
  refusal("fec-parameter-unknown", 20, { fec: "rs:depth=3" }),
  refusal("fec-on-a-quic-stream", 20, { fec: "rs", mode: 2 }),
  refusal("interleave-unknown", 21, { interleave: "x" }),
  refusal("urgency-8", 13, { urgency: 8 }),
  refusal("min-received-101", 13, { minReceivedPercent: 101 }),
  server(
    "open-with-everything-at-its-bound",
    [],
    [
      welcomed,
      says(
        10,
        open({ deadlineMs: 2147483647, urgency: 0, minReceivedPercent: 100, firstFrame: 9, model: "sink" }),
        { says: [accept()] },
      ),
      says(20, open({ stream: 2, urgency: 7, spec: { dtype: 1, shape: [1, 1, 1, 1, 1, 1, 1, 6] } }), {
        says: [accept(2)],
      }),
    ],
  ),
  server(
    "close-twice",
    ["sluice/4.3/3"],
    [
      welcomed,
      accepted,
      says(20, message("close", { stream: 1 })),
      says(30, message("close", { stream: 1 })),
      lives(40),
    ],
  ),
  server(
    "close-a-rejected-stream",
    ["sluice/4.3/3"],
    [
      welcomed,
      says(10, [open({ model: "nobody" }), message("close", { stream: 1 })], {
        says: [message("reject", { stream: 1 })],
      }),
      lives(40),
    ],
  ),
  server(
    "close-a-stream-never-opened",
    [],
    [welcomed, says(10, message("close", { stream: 1 }), ended("unknownStream"))],
  ),
  server(
    "closed-makes-room",
    [],
    [
      welcomed,
      accepted,
      says(20, message("close", { stream: 1 })),
      says(30, open({ stream: 2 }), { says: [accept(2)] }),
    ],
    { limits: { maxStreams: 1 } },
  ),
];

const serverSlices = [
  server(
    "frame-in-one-slice",
    ["sluice/7.1/1"],
    [welcomed, accepted, datagram(20, whole(0, 0), { says: [done(0, { elements: 6, slicesReceived: 1 })] })],
  ),
  server(
    "frame-in-two-slices-in-one-datagram",
    [],
    [
      welcomed,
      accepted,
      datagram(
        20,
        slice({ count: 2, payloadBytes: 3 }, "010203", 0) + slice({ index: 1, count: 2 }, "040506"),
        {
          says: [done(0, { elements: 6, slicesReceived: 2 })],
        },
      ),
    ],
  ),
  server(
    "frame-of-which-a-part-came",
    ["sluice/6.3/1"],
    [
      welcomed,
      accepted,
      datagram(20, slice({ count: 2 }, "010203", 0)),
      wait(300, { says: [done(0, { elements: 6, slicesReceived: 1, concealedElements: 3 })] }),
    ],
  ),
  server(
    "slices-after-the-release",
    ["sluice/5.5/1"],
    [
      welcomed,
      accepted,
      datagram(20, slice({ count: 2 }, "010203", 0)),
      wait(300, { says: [done(0, { concealedElements: 3 })] }),
      says(310, ack(0)),
      wait(400),
      datagram(410, slice({ index: 1, count: 2 }, "040506", 1), { silent: ["result"] }),
      wait(800, { silent: ["result"] }),
    ],
  ),
  server(
    "frame-twice",
    ["sluice/5.5/1"],
    [
      welcomed,
      accepted,
      datagram(20, whole(0, 0), { says: [done(0)] }),
      says(30, ack(0)),
      wait(100),
      datagram(110, whole(0, 1), { silent: ["result"] }),
      wait(500, { silent: ["result"] }),
    ],
  ),
  server(
    "slice-twice",
    [],
    [
      welcomed,
      accepted,
      datagram(20, slice({ count: 2 }, "010203", 0)),
      datagram(21, slice({ count: 2 }, "010203", 1)),
      datagram(22, slice({ index: 1, count: 2 }, "040506", 2), { says: [done(0, { slicesReceived: 2 })] }),
    ],
  ),
  server(
    "slices-in-another-order",
    [],
    [
      welcomed,
      accepted,
      datagram(20, slice({ index: 1, count: 2 }, "040506", 1)),
      datagram(21, slice({ count: 2 }, "010203", 0), { says: [done(0, { slicesReceived: 2 })] }),
    ],
  ),
  server(
    "result-is-repeated",
    ["sluice/7.1/1"],
    [
      welcomed,
      accepted,
      datagram(20, whole(0, 0), { says: [done(0)] }),
      wait(200, { says: [done(0)] }),
      says(210, ack(0)),
      wait(300),
      wait(700, { silent: ["result"] }),
    ],
  ),
  server(
    "payload-of-wrong-length",
    ["sluice/6.3/1"],
    [
      welcomed,
      accepted,
      datagram(
        20,
        slice({ count: 2, payloadBytes: 2 }, "0102", 0) + slice({ index: 1, count: 2 }, "040506"),
        {
          says: [done(0, { concealedElements: 3 })],
        },
      ),
    ],
  ),
  server(
    "nothing-decodes",
    [],
    [
      welcomed,
      accepted,
      datagram(20, slice({}, "0102", 0), {
        says: [message("result", { stream: 1, frame: 0, outcome: 3, code: 67 })],
      }),
      lives(40),
    ],
  ),
  server(
    "first-frame-above-zero",
    [],
    [
      welcomed,
      says(10, open({ firstFrame: 40 }), { says: [accept()] }),
      datagram(20, whole(40, 0), { says: [done(40)] }),
    ],
  ),
  server("empty-datagram", [], [welcomed, datagram(10, ""), lives(20)]),
  server(
    "without-sequence",
    ["sluice/5.3/1"],
    [welcomed, accepted, datagram(20, slice({}, "010203040506"), ended("malformedDatagram"))],
  ),
  server(
    "malformed-datagram",
    ["sluice/5.1/3"],
    [welcomed, accepted, datagram(20, hex("0a 08 01"), ended("malformedDatagram"))],
  ),
  server(
    "datagram-with-a-message-that-is-none",
    ["sluice/5.1/3"],
    [welcomed, datagram(20, hex("00 03 6a 05 08"), ended("protocolViolation"))],
  ),
  server(
    "alias-zero",
    ["sluice/5.3/2"],
    [welcomed, accepted, datagram(20, slice({ stream: 0 }, "00", 0), ended("malformedDatagram"))],
  ),
  server(
    "index-out-of-range",
    ["sluice/5.2/2", "sluice/5.3/3"],
    [welcomed, accepted, datagram(20, slice({ index: 2, count: 2 }, "00", 0), ended("sliceOutOfRange"))],
  ),
  server(
    "count-above-the-units",
    ["sluice/5.2/2"],
    [welcomed, accepted, datagram(20, slice({ count: 7 }, "00", 0), ended("sliceOutOfRange"))],
  ),
  server(
    "unknown-stream",
    ["sluice/5.3/4"],
    [welcomed, accepted, datagram(20, whole(0, 0, 2), ended("unknownStream"))],
  ),
  server(
    "stream-not-answered-yet",
    ["sluice/5.3/4"],
    [welcomed, says(10, open()), datagram(20, whole(0, 0), ended("unknownStream"))],
    { acceptAfterMs: 1000 },
  ),
  server(
    "rejected-stream",
    ["sluice/5.3/4"],
    [
      welcomed,
      says(10, open({ model: "nobody" }), { says: [message("reject", { stream: 1 })] }),
      datagram(20, whole(0, 0), { silent: ["result"] }),
      lives(30),
    ],
  ),
  server(
    "closed-stream",
    ["sluice/5.3/4"],
    [
      welcomed,
      accepted,
      says(20, message("close", { stream: 1 })),
      datagram(30, whole(0, 0), { silent: ["result"] }),
      lives(40),
    ],
  ),
  ...[hello, open({ stream: 2 }), message("drain", { code: 16 })].map((wrong) =>
    server(
      `${wrong.kind}-in-a-datagram`,
      ["sluice/5.4/1"],
      [welcomed, datagram(10, controlItem(wrong), ended("protocolViolation"))],
    ),
  ),
  server(
    "repair-symbol",
    ["sluice/5.8/2"],
    [
      welcomed,
      accepted,
      datagram(20, slice({ repair: 0 }, "ffffffffffff", 0), { silent: ["result"] }),
      wait(300, { silent: ["result"] }),
      datagram(310, whole(1, 1), { says: [done(1, { slicesReceived: 1 })] }),
    ],
  ),
  server(
    "report",
    [],
    [
      welcomed,
      accepted,
      datagram(20, whole(0, 0)),
      datagram(21, whole(1, 2)),
      wait(60, {
        says: [
          message("feedback", {
            datagramsReceived: 2,
            nextSequence: 3,
            lost: 1,
            lossRuns: 1,
            received: "05",
          }),
        ],
      }),
    ],
  ),
  server(
    "over-the-rate",
    ["sluice/4.4/2"],
    [
      welcomed,
      accepted,
      ...Array.from({ length: 9 }, (_, i) => datagram(20, whole(i, i))),
      datagram(21, whole(9, 9), { says: [message("result", { stream: 1, frame: 9, outcome: 2, code: 66 })] }),
      lives(70),
    ],
    { limits: { millihertz: 1000 } },
  ),
  server(
    "over-the-frames-in-flight",
    ["sluice/4.4/2"],
    [
      welcomed,
      accepted,
      datagram(20, whole(0, 0)),
      datagram(21, whole(1, 1), { says: [message("result", { stream: 1, frame: 1, outcome: 2, code: 66 })] }),
      wait(400, { says: [done(0)] }),
    ],
    { limits: { maxFramesInFlight: 1 }, answerAfterMs: 300 },
  ),
  server(
    "slices-over-max-tensor-bytes",
    ["sluice/4.4/3", "sluice/9/1"],
    [
      welcomed,
      accepted,
      datagram(20, slice({ count: 2 }, "01".repeat(60), 0)),
      datagram(21, slice({ index: 1, count: 2 }, "01".repeat(60), 1), ended("limitExceeded")),
    ],
    { limits: { maxTensorBytes: 100 } },
  ),
];

const whole1 = sliceItem({ stream: 1, frame: 0, count: 2, payloadBytes: 3 }, "010203");
const whole2 = sliceItem({ stream: 1, frame: 0, index: 1, count: 2, payloadBytes: 3 }, "040506");
const bring = (at, text, end, expect = {}) => does(at, { stream: 0, hex: text, end }, expect);
const tensorStreams = [
  server(
    "tensor-stream",
    [],
    [
      welcomed,
      says(10, open({ mode: 3 }), { says: [accept()] }),
      bring(20, whole1 + whole2.slice(0, 10), false, { silent: ["result"] }),
      bring(30, whole2.slice(10), true, { says: [done(0, { slicesReceived: 2 })] }),
    ],
  ),
  server(
    "tensor-stream-cut-off",
    ["sluice/6.3/1"],
    [
      welcomed,
      says(10, open({ mode: 2 }), { says: [accept()] }),
      bring(20, whole1 + whole2.slice(0, 10), true, {
        says: [done(0, { slicesReceived: 1, concealedElements: 3 })],
      }),
    ],
  ),
  server(
    "tensor-stream-with-a-message",
    ["sluice/5.1/6"],
    [
      welcomed,
      says(10, open({ mode: 3 }), { says: [accept()] }),
      bring(20, hex("00 04 6a 02 08 05"), false, ended("protocolViolation")),
    ],
  ),
  server(
    "tensor-stream-without-payload-bytes",
    ["sluice/5.1/6"],
    [
      welcomed,
      says(10, open({ mode: 3 }), { says: [accept()] }),
      bring(20, slice({}, "010203040506"), false, ended("limitExceeded")),
    ],
  ),
  server(
    "tensor-stream-slice-too-large",
    ["sluice/5.1/6", "sluice/9/1"],
    [
      welcomed,
      says(10, open({ mode: 3 }), { says: [accept()] }),
      bring(20, hex("07 08 01 20 01 30 e9 07"), false, ended("limitExceeded")),
    ],
    { limits: { maxTensorBytes: 1000 } },
  ),
];

const said = says(10, welcome);
const opens = does(20, { open: { ...openBody, stream: 1 } }, { says: [open()] });
const isAccepted = says(30, accept());
const data = "010203040506";
const send = (at, expect, fields = {}) =>
  does(at, { send: { stream: 1, data, slices: 2, ...fields } }, expect);
const goes = (frame, fields = {}) => ({ admitted: true, sent: [{ stream: 1, frame, data, ...fields }] });
const stays = { admitted: false, noSlices: true };
const first = wait(0, { says: [message("hello", { versions: [1] })] });

const clientHandshake = [
  client("hello-first", ["sluice/2.2/2"], [first]),
  client("welcome", [], [first, said, lives(20)]),
  client(
    "welcome-with-another-version",
    ["sluice/2.2/7"],
    [first, says(10, message("welcome", { version: 2 }), ended("unsupportedVersion"))],
  ),
  client(
    "welcome-without-version",
    ["sluice/2.2/7"],
    [first, says(10, message("welcome"), ended("unsupportedVersion"))],
  ),
  client("second-welcome", ["sluice/2.2/5"], [first, said, says(20, welcome, ended("protocolViolation"))]),
  client("no-welcome", ["sluice/2.2/4"], [first, wait(4900), wait(5100, ended("handshakeTimeout"))]),
  ...[...fromServer.slice(1), ...fromBoth].map((early) =>
    client(
      `${early.kind}-before-welcome`,
      ["sluice/2.2/5"],
      [first, says(10, early, ended("protocolViolation"))],
    ),
  ),
  client(
    "error-before-welcome",
    ["sluice/2.2/5"],
    [first, says(10, message("error", { code: 4 }), ended("unauthorized"))],
  ),
  client(
    "datagram-before-welcome",
    ["sluice/2.2/6"],
    [
      first,
      datagram(10, controlItem(message("ping", { id: 5 })), { silent: ["pong"] }),
      says(20, welcome),
      lives(30),
    ],
  ),
  ...fromClient.map((wrong) =>
    client(
      `${wrong.kind}-from-a-server`,
      ["sluice/4.1/3"],
      [first, said, says(20, wrong, ended("protocolViolation"))],
    ),
  ),
  client(
    "message-over-the-limit",
    ["sluice/4.1/1", "sluice/9/1"],
    [first, said, bytes(20, "81 80 04", ended("protocolViolation"))],
  ),
  client(
    "message-of-no-known-kind",
    ["sluice/4.1/2"],
    [first, said, bytes(20, "05 fa 01 02 08 01 00"), lives(30)],
  ),
  client("silence", ["sluice/5.7/2"], [first, said, wait(4900), wait(5200, ended("peerSilent"))]),
  client(
    "ping",
    ["sluice/5.7/1"],
    [
      first,
      said,
      datagram(20, controlItem(message("ping", { id: 6 })), { says: [message("pong", { id: 6 })] }),
      lives(30),
    ],
  ),
  client(
    "pong-that-nobody-waits-for",
    [],
    [first, said, says(20, message("pong", { id: 999999 })), lives(30)],
  ),
];

/** The one datagram with slices has come: a path without any sign of it could be taken for dark (3.3). */
const report = message("feedback", {
  datagramsReceived: 1,
  bytesReceived: 40,
  nextSequence: 1,
  received: "01",
});

const clientStreams = [
  client(
    "frame",
    ["sluice/3.1/1"],
    [first, said, opens, send(25, stays), isAccepted, send(40, goes(0)), send(50, goes(1))],
  ),
  client(
    "first-frame",
    [],
    [
      first,
      said,
      does(20, { open: { ...openBody, stream: 1, firstFrame: 40 } }, { says: [open({ firstFrame: 40 })] }),
      isAccepted,
      send(40, goes(40)),
    ],
  ),
  client(
    "nothing-before-the-answer",
    ["sluice/3.1/1"],
    [first, said, opens, send(30, stays), wait(500, { noSlices: true })],
  ),
  client(
    "rejected",
    ["sluice/3.1/1"],
    [first, said, opens, says(30, message("reject", { stream: 1, code: 10 })), send(40, stays), lives(50)],
  ),
  client(
    "small-datagrams",
    ["sluice/3.5/1"],
    [
      first,
      said,
      opens,
      isAccepted,
      does(40, { maxDatagramBytes: 28 }),
      send(50, { admitted: true }, { slices: 1 }),
      wait(140, { sent: [{ stream: 1, frame: 0, data, since: 5 }] }),
    ],
  ),
  client(
    "mode-reliable",
    ["sluice/3.1/3"],
    [
      first,
      said,
      does(20, { open: { ...openBody, stream: 1, mode: 3 } }, { says: [open({ mode: 3 })] }),
      isAccepted,
      send(40, goes(0, { onStream: true })),
    ],
  ),
  client(
    "mode-stream",
    ["sluice/3.1/3"],
    [
      first,
      said,
      does(20, { open: { ...openBody, stream: 1, mode: 2 } }, { says: [open({ mode: 2 })] }),
      isAccepted,
      send(40, goes(0, { onStream: true })),
      send(50, goes(1, { onStream: true })),
    ],
  ),
  client(
    "aliases-rise",
    ["sluice/4.3/1"],
    [first, said, opens, does(30, { open: { ...openBody, stream: 2 } }, { says: [open({ stream: 2 })] })],
  ),
  client(
    "slice-from-a-server",
    ["sluice/5.1/4"],
    [first, said, opens, isAccepted, datagram(40, whole(0, 0), ended("protocolViolation"))],
  ),
  client(
    "answers-to-a-closed-stream",
    ["sluice/4.3/4"],
    [
      first,
      said,
      opens,
      does(30, { closeStream: 1 }, { says: [message("close", { stream: 1 })] }),
      says(40, accept()),
      says(50, message("reject", { stream: 1, code: 10 })),
      lives(60),
    ],
  ),
  client("accept-of-a-stream-never-opened", [], [first, said, says(20, accept(), ended("unknownStream"))]),
  client(
    "reject-of-a-stream-never-opened",
    [],
    [first, said, says(20, message("reject", { stream: 1, code: 10 }), ended("unknownStream"))],
  ),
  client(
    "drain",
    ["sluice/2.4/1"],
    [
      first,
      said,
      opens,
      isAccepted,
      send(40, goes(0)),
      says(50, message("drain", { code: 16, reason: "bye" })),
      send(60, stays),
      says(70, done(0, { payload: "c3" }), { delivered: [{ stream: 1, frame: 0 }] }),
      wait(150, { acks: [{ stream: 1, frames: [0] }] }),
    ],
  ),
  client(
    "rate",
    ["sluice/4.4/1"],
    [
      first,
      says(10, message("welcome", { version: 1, limits: { millihertz: 1000 } })),
      opens,
      isAccepted,
      send(100, goes(0)),
      says(110, done(0, { payload: "c3" })),
      datagram(110, controlItem(report)),
      send(200, stays),
      send(900, stays),
      datagram(1095, controlItem(report)),
      send(1101, goes(1)),
    ],
  ),
  client(
    "limits-change",
    ["sluice/4.4/1"],
    [
      first,
      said,
      opens,
      isAccepted,
      send(100, goes(0)),
      says(110, [done(0, { payload: "c3" }), message("limits", { maxFramesInFlight: 1 })]),
      send(120, goes(1)),
      send(130, stays),
      says(140, done(1, { payload: "c3" })),
      send(150, goes(2)),
    ],
  ),
];

const results = (from, to, fields = {}) =>
  Array.from({ length: to - from }, (_, i) => controlItem(done(from + i, { payload: "c3", ...fields }))).join(
    "",
  );
const upTo = (n) => Array.from({ length: n }, (_, i) => i);
const clientResults = [
  client(
    "result-is-acknowledged",
    ["sluice/7.1/2"],
    [
      first,
      said,
      opens,
      isAccepted,
      send(40, goes(0)),
      datagram(60, results(0, 1), { delivered: [{ stream: 1, frame: 0 }] }),
      wait(160, { acks: [{ stream: 1, frames: [0] }] }),
    ],
  ),
  client(
    "result-twice",
    ["sluice/7.1/2", "sluice/7.1/3"],
    [
      first,
      said,
      opens,
      isAccepted,
      send(40, goes(0)),
      datagram(60, results(0, 1), { delivered: [{ stream: 1, frame: 0 }] }),
      wait(160, { acks: [{ stream: 1, frames: [0] }] }),
      datagram(170, results(0, 1, { outcome: 4, code: 68 }), { delivered: [] }),
      wait(270, { acks: [{ stream: 1, frames: [0] }], delivered: [] }),
    ],
  ),
  client(
    "results-that-nobody-wants",
    ["sluice/7.1/2"],
    [
      first,
      said,
      opens,
      isAccepted,
      datagram(60, results(7, 8), { delivered: [] }),
      wait(160, { acks: [{ stream: 1, frames: [7] }] }),
      lives(170),
    ],
  ),
  client(
    "more-results-at-once-than-an-acknowledgement-takes",
    ["sluice/7.1/2", "sluice/9/1"],
    [
      first,
      said,
      opens,
      isAccepted,
      datagram(60, results(0, 100)),
      wait(200, { acks: [{ stream: 1, frames: upTo(100) }] }),
    ],
  ),
  client(
    "outcome-unknown",
    [],
    [
      first,
      said,
      opens,
      isAccepted,
      send(40, goes(0)),
      datagram(60, results(0, 1, { outcome: 9, payload: "" }), { delivered: [] }),
      wait(160, { acks: [{ stream: 1, frames: [0] }] }),
      lives(170),
    ],
  ),
];

export const cases = [
  ...serverHandshake,
  ...serverControl,
  ...serverStreams,
  ...serverSlices,
  ...serverRecovery,
  ...tensorStreams,
  ...clientHandshake,
  ...clientStreams,
  ...clientResults,
].map(({ id, shows, role, options, steps }) => ({
  ...{ id: `session/${id}`, shows, op: "session" },
  input: { role, options, steps: steps.map(({ at, input }) => ({ at, ...(input ? { input } : {}) })) },
  expect: steps.map(({ expect }) => expect),
  meaning: steps.map(({ meaning }) => meaning ?? null),
}));
