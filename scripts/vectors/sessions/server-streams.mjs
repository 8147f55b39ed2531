// Tensor streams that clients ask a server for (spec 4.3, 4.4, 5.8).
import {
  accept,
  accepted,
  ended,
  lives,
  message,
  open,
  says,
  server,
  wait,
  welcomed,
} from "./session-steps.mjs";

/** What lies in a bundle of eight int32 (spec 6.14). */
const twoParts = [
  { dtype: 1, shape: [1, 2, 3], layout: 1 },
  { dtype: 5, shape: [2] },
];

const refusal = (id, code, fields, options = {}, first = []) =>
  server(
    `refuse/${id}`,
    [
      "sluice/4.3/2",
      ...(id.startsWith("fec") || id.startsWith("interleave") ? ["sluice/5.8/1"] : []),
      ...(id.startsWith("bundle") ? ["sluice/6.14/2"] : []),
    ],
    [
      welcomed,
      ...first,
      says(20, open({ stream: 8, ...fields }), { says: [message("reject", { stream: 8, code })] }),
      ...(first.length > 0 ? [] : [says(30, open({ stream: 9 }), { says: [accept(9)] })]),
    ],
    options,
  );

export const serverStreams = [
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
  refusal("layout-4", 13, { spec: { dtype: 3, shape: [1, 2, 3], layout: 4 } }),
  ...[
    ["no-parts", [8], []],
    ["one-part", [8], [{ dtype: 1, shape: [8] }]],
    ["parts-of-another-size", [9], twoParts],
    ["parts-of-another-type", [8], twoParts, 1],
    ["a-part-of-an-unknown-type", [8], [twoParts[0], { dtype: 6, shape: [2] }]],
    ["a-part-without-elements", [8], [...twoParts, { dtype: 5, shape: [0] }]],
    ["a-bundle-in-a-bundle", [8], [twoParts[0], { dtype: 5, shape: [2], layout: 3 }]],
    ["257-parts", [257], Array.from({ length: 257 }, () => ({ dtype: 5, shape: [1] }))],
  ].map(([name, shape, parts, dtype = 5]) =>
    refusal(`bundle-of-${name}`, 13, { spec: { dtype, shape, layout: 3, parts } }),
  ),
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
  refusal("urgency-8", 13, { urgency: 8 }),
  refusal("min-received-101", 13, { minReceivedPercent: 101 }),
  refusal("result-content-unknown", 13, { resultContent: 3 }),
  server(
    "open-with-an-unknown-result-format",
    ["sluice/4.3/5"],
    [welcomed, says(10, open({ resultFormat: 9 }), { says: [accept()] })],
  ),
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
