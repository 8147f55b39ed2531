// Forward error correction (spec 5.8): texts, repair symbols, and what they bring back. The field is computed bit by
// bit here, and what is lost is found by elimination with it.
import { hex } from "./hex-text.mjs";
import { sliceItem, toHex } from "./message-writer.mjs";

export const about =
  "Texts of forward error correction, the payloads of repair symbols, and what a receiver recovers.";

/** In GF(2^8), x^8 + x^4 + x^3 + x^2 + 1. */
function times(a, b) {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    if ((b >> bit) & 1) product ^= a << bit;
  }
  for (let bit = 15; bit >= 8; bit--) {
    if ((product >> bit) & 1) product ^= 0x11d << (bit - 8);
  }
  return product;
}

function over(a, b) {
  for (let quotient = 0; quotient < 256; quotient++) if (times(quotient, b) === a) return quotient;
  throw new Error("division by 0");
}

export const coefficient = (row, source) => over(128 ^ source, (128 + row) ^ source);

const bytesOf = (text) => [...Buffer.from(text, "hex")];

function sourceSymbol(text, size) {
  const bytes = bytesOf(text);
  const symbol = [bytes.length & 255, bytes.length >> 8, ...bytes];
  return [...symbol, ...Array(size - symbol.length).fill(0)];
}

/** The payload of the repair symbol `row` over datagrams `{ sequence, hex }`. */
export function repairPayload(datagrams, row) {
  const size = 2 + Math.max(...datagrams.map((each) => each.hex.length / 2));
  const symbol = Array(size).fill(0);
  for (const [j, datagram] of datagrams.entries())
    for (const [i, byte] of sourceSymbol(datagram.hex, size).entries())
      symbol[i] ^= times(coefficient(row, j), byte);
  const offsets = datagrams.map(({ sequence }) => sequence - datagrams[0].sequence);
  const map = Array((offsets.at(-1) >> 3) + 1).fill(0);
  for (const offset of offsets) map[offset >> 3] |= 1 << (offset & 7);
  return toHex(Uint8Array.from([map.length, ...map, ...symbol]));
}

const texts = [
  ["rs", "rs:max=15,span=1"],
  ["xor", "xor:max=15,span=1"],
  ["rs:max=100", "rs:max=100,span=1"],
  [" rs : span = 8 , max = 1 ", "rs:max=1,span=8"],
];
const badTexts = [
  ...[
    "x",
    "rs:",
    "rs:max",
    "rs:max=0",
    "rs:max=101",
    "rs:max=1.5",
    "rs:span=9",
    "rs:max=5,max=5",
    "rs:depth=3",
  ],
  ...["RS", "rs|xor", `rs:max=15${" ".repeat(56)}`],
];

/** Slices of stream 1, one a datagram, of different lengths. */
const datagrams = (count, first = 0, step = 1) =>
  Array.from({ length: count }, (_, i) => {
    const sequence = first + i * step;
    const payload = toHex(Uint8Array.from({ length: 1 + (i % 5) }, (_, k) => (37 * i + 11 * k + 1) % 256));
    return { sequence, hex: sliceItem({ stream: 1, frame: 0, index: i, count, sequence }, payload) };
  });

const three = datagrams(3);
const spread = datagrams(5, 300, 7);
const most = datagrams(128);

const symbolCases = [
  ["xor-of-three", three, [0]],
  ["three-rows", three, [0, 1, 2]],
  ["one-datagram", datagrams(1), [0, 5]],
  ["gaps-between", spread, [1, 127], "Datagrams of other streams lie between; the map has 29 bits."],
  ["largest-group", most, [0, 127]],
];

const symbolOf = (group, row, fields = {}) => ({
  ...{ sequence: group.at(-1).sequence + 1 + row, stream: 1, frame: 0, index: row, count: 128 },
  ...{ payload: repairPayload(group, row) },
  ...fields,
});
const repairOf = ({ sequence, ...rest }, lowest) => ({ ...rest, sequence, repair: sequence - lowest });
const symbols = (group, ...rows) => rows.map((row) => repairOf(symbolOf(group, row), group[0].sequence));
const without = (group, ...lost) => group.filter((_, i) => !lost.includes(i));

const recoveries = [
  ["one-lost", three, [1], symbols(three, 0), [1]],
  ["one-lost-another-row", three, [1], symbols(three, 6), [1]],
  ["all-lost", three, [0, 1, 2], symbols(three, 3, 0, 9), [0, 1, 2]],
  ["too-few-symbols", three, [0, 1], symbols(three, 0), []],
  ["the-same-symbol-twice", three, [0, 1], symbols(three, 4, 4), []],
  ["rows-wrap-at-128", three, [2], [repairOf(symbolOf(three, 1, { index: 129, count: 130 }), 0)], [2]],
  ["gaps-between", spread, [0, 4], symbols(spread, 2, 3), [0, 4]],
  ["largest-group", most, [0, 63, 127], symbols(most, 1, 2, 100), [0, 63, 127]],
];

/** A payload with bytes changed: `{ place: byte }`. */
const changed = (text, changes) => {
  const bytes = bytesOf(text);
  for (const [place, byte] of Object.entries(changes)) bytes[place] = byte;
  return toHex(Uint8Array.from(bytes));
};
const first = symbols(three, 0)[0];
const second = symbols(three, 1)[0];
const lies = [
  ["length-of-no-datagram", [1], [{ ...first, payload: changed(first.payload, { 3: 255 }) }]],
  ["another-sequence", [1], [{ ...first, payload: repairPayload(datagrams(3, 5), 0) }]],
  ["no-slice-of-the-stream", [1], [{ ...first, stream: 2 }]],
  ["wrong-row", [1], [{ ...first, index: 1 }]],
  ["another-frame-than-the-first", [0, 1], [first, { ...second, frame: 1 }]],
  ["another-stream-than-the-first", [0, 1], [first, { ...second, stream: 2 }]],
  ["another-length-than-the-first", [0, 1], [first, { ...second, payload: `${second.payload}00` }]],
];

const impossible = [
  ["no-payload", { payload: "" }],
  ["no-map", { payload: "00090006" }],
  ["map-of-33-bytes", { payload: `21${"01".repeat(33)}030006` }],
  ["map-past-the-end", { payload: "0401" }],
  ["symbol-of-two-bytes", { payload: "01010000" }],
  ["map-without-its-lowest", { payload: "0102030000" }],
  ["map-with-an-empty-end", { payload: "020100030000" }],
  ["129-datagrams", { payload: `11${"ff".repeat(16)}01030000`, repair: 150, sequence: 200 }],
  ["protects-itself", { repair: 0, payload: "0101030000" }],
  ["protects-what-comes-later", { repair: 1, payload: "0103030000" }],
  ["before-the-first-datagram", { repair: 4, payload: "0101030000" }],
  ["too-far-back", { repair: 2049, sequence: 5000, payload: "0101030000" }],
];

const plain = (repair) => ({ ...repair });

export const cases = [
  ...texts.map(([text, canonical]) => ({
    ...{ id: `fec/parse/${JSON.stringify(text)}`, shows: [], op: "fec.parse" },
    ...{ input: { fec: text }, output: { fec: canonical } },
  })),
  ...badTexts.map((text, i) => ({
    ...{ id: `fec/refuse/${i}`, shows: [i === 0 ? "sluice/5.8/1" : "sluice/5.8/3"], op: "fec.parse" },
    ...{ input: { fec: text }, error: "unknownFec" },
  })),
  ...symbolCases.map(([name, group, rows, note]) => ({
    ...{ id: `fec/symbols/${name}`, shows: ["sluice/5.8/4"], op: "fec.symbols" },
    input: { datagrams: group, rows },
    output: { payloads: rows.map((row) => repairPayload(group, row)) },
    ...(note ? { note } : {}),
  })),
  {
    ...{ id: "fec/symbols/spec-example", shows: ["sluice/5.8/4"], op: "fec.symbols" },
    input: { datagrams: [{ sequence: 0, hex: hex("06 08 01 20 01 38 00 aa bb") }], rows: [0] },
    ...{ output: { payloads: [hex("01 01 09 00 06 08 01 20 01 38 00 aa bb")] } },
    check: { payloads: [repairPayload([{ sequence: 0, hex: hex("06 08 01 20 01 38 00 aa bb") }], 0)] },
  },
  ...recoveries.map(([name, group, lost, repairs, found]) => ({
    ...{ id: `fec/recover/${name}`, shows: ["sluice/5.8/4"], op: "fec.recover" },
    input: { code: "rs", held: without(group, ...lost), repairs: repairs.map(plain) },
    output: { recovered: found.map((place) => group[place]) },
  })),
  {
    ...{ id: "fec/recover/xor-has-one-row", shows: ["sluice/5.8/4"], op: "fec.recover" },
    input: { code: "xor", held: without(three, 1), repairs: [{ ...first, index: 5 }] },
    output: { recovered: [three[1]] },
  },
  ...lies.map(([name, lost, repairs]) => ({
    ...{ id: `fec/lie/${name}`, shows: ["sluice/5.8/7"], op: "fec.recover" },
    input: { code: "rs", held: without(three, ...lost), repairs },
    output: { recovered: [] },
  })),
  ...impossible.map(([name, fields]) => ({
    ...{ id: `fec/impossible/${name}`, shows: ["sluice/5.8/5", "sluice/9/1"], op: "fec.recover" },
    input: { code: "rs", held: three, repairs: [{ ...first, ...fields }] },
    error: "malformedDatagram",
  })),
];
