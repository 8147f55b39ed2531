// The QUIC stream of one tensor (spec 5.1). All hex is written by hand but fillings.
import { hex } from "./hex-text.mjs";
import { sliceItem } from "./message-writer.mjs";

export const about =
  "The bytes of a tensor's QUIC stream, in chunks as the transport may deliver them. Slices that are not whole at the end are left out.";

const first = "0a 08 01 10 08 20 02 28 0c 30 03 0a 0b 0c";
const second = "0c 08 01 10 08 18 01 20 02 28 0c 30 03 0d 0e 0f";
const slices = [
  { header: { stream: 1, frame: 8, index: 0, count: 2, ageMs: 12, payloadBytes: 3 }, payload: "0a0b0c" },
  { header: { stream: 1, frame: 8, index: 1, count: 2, ageMs: 12, payloadBytes: 3 }, payload: "0d0e0f" },
];
const whole = hex(first + second);
const large = "5a".repeat(300);
const largeItem = sliceItem({ stream: 1, frame: 0, count: 1, payloadBytes: 300 }, large);

const good = [
  ["spec-example", [whole], slices],
  ["byte-by-byte", whole.match(/../g), slices],
  ["cut-inside-a-header", [whole.slice(0, 6), whole.slice(6)], slices],
  ["nothing", [], []],
  ["second-slice-not-whole", [whole.slice(0, -2)], slices.slice(0, 1)],
  ["only-a-length", ["0a"], []],
  [
    "payload-over-two-chunks",
    [largeItem.slice(0, 100), largeItem.slice(100)],
    [{ header: { stream: 1, frame: 0, index: 0, count: 1, ageMs: 0, payloadBytes: 300 }, payload: large }],
  ],
  [
    "empty-payload",
    [hex("06 08 01 20 01 30 00")],
    [{ header: { stream: 1, frame: 0, index: 0, count: 1, ageMs: 0, payloadBytes: 0 }, payload: "" }],
  ],
];

const refused = [
  ["length-zero", [hex("00 04 6a 02 08 05")], "protocolViolation", ["sluice/5.1/6"]],
  ["length-65", [hex("41 08 01")], "protocolViolation", ["sluice/5.1/6", "sluice/9/1"]],
  ["length-of-five-bytes", [hex("ff ff ff ff 0f")], "protocolViolation", ["sluice/5.1/6"]],
  ["payload-without-length", [hex("04 08 01 20 01 aa")], "limitExceeded", ["sluice/5.1/6"]],
  [
    "payload-over-the-limit",
    [hex("07 08 01 20 01 30 e9 07")],
    "limitExceeded",
    ["sluice/5.1/6", "sluice/9/1"],
  ],
  ["header-is-no-message", [hex("04 08 01 20 80")], "malformedDatagram", ["sluice/5.1/6"]],
  ["alias-zero", [hex("04 20 01 30 00")], "malformedDatagram", ["sluice/5.3/2"]],
  ["slice-out-of-range", [hex("08 08 01 18 03 20 03 30 00")], "sliceOutOfRange", ["sluice/5.2/2"]],
  ["bad-after-a-good-slice", [hex(first), hex("00")], "protocolViolation", ["sluice/5.1/6"]],
];

export const cases = [
  ...good.map(([name, chunks, output]) => ({
    ...{ id: `tensor-stream/decode/${name}`, shows: [], op: "tensor-stream.decode" },
    ...{ input: { chunks, maxTensorBytes: 1000 }, output: { slices: output } },
  })),
  ...refused.map(([name, chunks, error, shows]) => ({
    ...{ id: `tensor-stream/refuse/${name}`, shows, op: "tensor-stream.decode" },
    ...{ input: { chunks, maxTensorBytes: 1000 }, error },
  })),
];
