// Slice headers (spec 5.1 to 5.3). All hex is written by hand.
import { hex } from "./hex-text.mjs";

export const about = "Slice headers without their length: decoding, encoding, and what must be refused.";

const plain = { stream: 1, frame: 0, index: 0, count: 1, ageMs: 0 };

const both = [
  ["smallest", "08 01 20 01", plain, "Fields that are 0 are left out."],
  [
    "spec-example-first",
    "08 01 10 07 20 02 28 0c 30 03 38 ac02",
    { ...plain, frame: 7, count: 2, ageMs: 12, payloadBytes: 3, sequence: 300 },
  ],
  [
    "spec-example-second",
    "08 01 10 07 18 01 20 02 28 0c",
    { ...plain, frame: 7, index: 1, count: 2, ageMs: 12 },
  ],
  [
    "largest-values",
    "08 ff7f 10 ffffffff0f 18 ffffff07 20 80808008 28 ff7f 30 ffffffff0f 38 ffffffff0f 40 ffffffff0f",
    {
      ...{ stream: 16383, frame: 4294967295, index: 16777215, count: 16777216, ageMs: 16383 },
      ...{ payloadBytes: 4294967295, sequence: 4294967295, repair: 4294967295 },
    },
  ],
  [
    "varint-of-two-bytes",
    "08 8001 10 8001 20 01",
    { ...plain, stream: 128, frame: 128 },
    "128 is the smallest value of two bytes.",
  ],
  ["payload-of-no-bytes", "08 01 20 01 30 00", { ...plain, payloadBytes: 0 }, "0 is there, not absent."],
  ["first-sequence", "08 01 20 01 38 00", { ...plain, sequence: 0 }, "0 is there, not absent."],
  ["first-repair-symbol", "08 01 20 01 40 00", { ...plain, repair: 0 }, "0 is there, not absent."],
];

const decoded = [
  [
    "unknown-varint-field",
    "08 01 20 01 48 05 ; field 9",
    plain,
    ["sluice/4.1/2"],
    "Unknown fields are ignored.",
  ],
  ["unknown-bytes-field", "08 01 20 01 82 01 02 aa bb ; field 16", plain, ["sluice/4.1/2"]],
  ["unknown-fixed-fields", "4d 01020304 08 01 51 0102030405060708 20 01 ; fields 9 and 10", plain],
  ["fields-in-another-order", "20 01 08 01", plain, [], "Protocol Buffers allow any order."],
  ["field-twice", "08 05 20 01 08 01", plain, [], "The last one counts, as in Protocol Buffers."],
  ["long-varint", "08 81 80 00 20 01", plain, [], "Writers use the shortest form, readers take any."],
];

const refused = [
  ["alias-absent", "20 01", "malformedDatagram", ["sluice/5.3/2"]],
  ["alias-zero", "08 00 20 01", "malformedDatagram", ["sluice/5.3/2"]],
  ["alias-too-high", "08 808001 20 01 ; 16,384", "malformedDatagram", ["sluice/5.3/2"]],
  ["count-absent", "08 01", "sliceOutOfRange", ["sluice/5.3/3"]],
  [
    "count-above-max-units",
    "08 01 20 81808008 ; 2^24 + 1",
    "sliceOutOfRange",
    ["sluice/5.3/3", "sluice/9/1"],
  ],
  ["index-is-count", "08 01 18 02 20 02", "sliceOutOfRange", ["sluice/5.3/3", "sluice/5.2/2"]],
  ["index-above-count", "08 01 18 ffffffff0f 20 02", "sliceOutOfRange", ["sluice/5.3/3", "sluice/5.2/2"]],
  [
    "alias-and-range-both-wrong",
    "08 00 18 02 20 02",
    "malformedDatagram",
    ["sluice/5.3/2"],
    "The alias is looked at first.",
  ],
  ["varint-cut-off", "08 01 20 80", "malformedDatagram", ["sluice/5.1/3"]],
  ["varint-without-end", "08 ffffffffffffffffffff01 20 01", "malformedDatagram", ["sluice/5.1/3"]],
  ["tag-without-value", "08 01 20 01 10", "malformedDatagram", ["sluice/5.1/3"]],
  ["bytes-field-past-the-end", "08 01 20 01 82 01 05 aa", "malformedDatagram", ["sluice/5.1/3"]],
];

export const cases = [
  ...both.flatMap(([name, text, header, note]) => [
    {
      ...{ id: `slice-header/decode/${name}`, shows: [], op: "slice-header.decode" },
      ...{ input: { hex: hex(text) }, output: header },
      ...(note ? { note } : {}),
    },
    {
      ...{ id: `slice-header/encode/${name}`, shows: ["sluice/5.1/2"], op: "slice-header.encode" },
      ...{ input: { header }, output: { hex: hex(text) } },
    },
  ]),
  ...decoded.map(([name, text, output, shows = [], note]) => ({
    ...{ id: `slice-header/decode/${name}`, shows, op: "slice-header.decode", input: { hex: hex(text) } },
    output,
    ...(note ? { note } : {}),
  })),
  ...refused.map(([name, text, error, shows, note]) => ({
    ...{ id: `slice-header/refuse/${name}`, shows, op: "slice-header.decode", input: { hex: hex(text) } },
    error,
    ...(note ? { note } : {}),
  })),
];
