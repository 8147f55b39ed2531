// Frames of sessions over a WebSocket (spec 2.6). All hex is written by hand.
import { hex } from "./hex-text.mjs";

export const about =
  "Messages of a session over a WebSocket; the error `violation` means the close code 4002.";

const good = [
  ["open-first-bidirectional", "01 00000000", { type: "open", stream: 0 }],
  ["open-servers-unidirectional", "01 00000007", { type: "open", stream: 7 }],
  ["data", "02 00000002 aabbcc", { type: "data", stream: 2, bytes: "aabbcc" }],
  [
    "data-of-16384-bytes",
    `02 00000002 ${"5a".repeat(16384)}`,
    { type: "data", stream: 2, bytes: "5a".repeat(16384) },
  ],
  ["fin", "03 00000002", { type: "fin", stream: 2 }],
  ["reset", "04 00000002 00000011", { type: "reset", stream: 2, code: 17 }],
  ["stop", "05 fffffffe ffffffff", { type: "stop", stream: 4294967294, code: 4294967295 }],
  ["stream-credit", "06 00000002 00080000", { type: "stream-credit", stream: 2, bytes: 524288 }],
  ["session-credit", "07 00400000", { type: "session-credit", bytes: 4194304 }],
  ["open-credit-bidirectional", "08 00 00000001", { type: "open-credit", kind: 0, count: 1 }],
  ["open-credit-unidirectional", "08 01 00000080", { type: "open-credit", kind: 1, count: 128 }],
  ["close-without-reason", "09 00000010", { type: "close", code: 16, reason: "" }],
  ["close-with-reason", "09 00000000 c3a9", { type: "close", code: 0, reason: "é" }],
  [
    "close-with-longest-reason",
    `09 00000000 ${"61".repeat(1024)}`,
    { type: "close", code: 0, reason: "a".repeat(1024) },
  ],
];
const bad = [
  ["empty", ""],
  ["type-zero", "00 00000000"],
  ["type-unknown", "0a 00000000"],
  ["open-too-short", "01 000000"],
  ["open-too-long", "01 00000000 00"],
  ["data-without-bytes", "02 00000002"],
  ["data-of-16385-bytes", `02 00000002 ${"5a".repeat(16385)}`],
  ["reset-without-code", "04 00000002"],
  ["stream-credit-of-nothing", "06 00000002 00000000"],
  ["session-credit-of-nothing", "07 00000000"],
  ["open-credit-of-nothing", "08 00 00000000"],
  ["open-credit-of-no-kind", "08 02 00000001"],
  ["close-without-code", "09"],
  ["close-reason-too-long", `09 00000000 ${"61".repeat(1025)}`],
  ["close-reason-not-utf8", "09 00000000 ff"],
];

export const cases = [
  ...good.flatMap(([name, text, frame]) => [
    { id: `mux/decode/${name}`, shows: [], op: "mux.decode", input: { hex: hex(text) }, output: frame },
    { id: `mux/encode/${name}`, shows: [], op: "mux.encode", input: { frame }, output: { hex: hex(text) } },
  ]),
  ...bad.map(([name, text]) => ({
    ...{ id: `mux/refuse/${name}`, shows: ["sluice/2.6/2"], op: "mux.decode" },
    ...{ input: { hex: hex(text) }, error: "violation" },
  })),
];
