// The QUIC stream of one large result (spec 7.4). All hex is written by hand but fillings.
import { hex } from "./hex-text.mjs";
import { resultStream } from "./message-writer.mjs";

export const about =
  "The bytes of a large result's QUIC stream, in chunks as the transport may deliver them; it ends behind the last one.";

const text = hex("0c 08 01 10 07 18 01 30 06 38 02 58 03 a2 6f 6b");
const example = { stream: 1, frame: 7, outcome: 1, elements: 6, slicesReceived: 2, payloadBytes: 3 };
const filling = "5a".repeat(1000);
const large = { stream: 1, frame: 300, outcome: 1, stages: { inference: 250 }, payloadBytes: 1000 };
const largeText = hex("0f 08 01 10 ac 02 18 01 22 03 28 fa 01 58 e8 07");

const good = [
  ["spec-example", [text], { result: example, payload: "a26f6b" }],
  ["byte-by-byte", text.match(/../g), { result: example, payload: "a26f6b" }],
  ["cut-inside-the-result", [text.slice(0, 10), text.slice(10)], { result: example, payload: "a26f6b" }],
  [
    "payload-over-three-chunks",
    [resultStream(large, filling.slice(0, 10)), filling.slice(10, 1000), filling.slice(1000)],
    { result: large, payload: filling },
  ],
  [
    "no-payload",
    [hex("06 08 01 18 01 58 00")],
    { result: { stream: 1, outcome: 1, payloadBytes: 0 }, payload: "" },
  ],
  [
    "unknown-field",
    [hex("09 08 01 18 01 58 01 a0 06 05 ff")],
    { result: { stream: 1, outcome: 1, payloadBytes: 1 }, payload: "ff" },
  ],
];

const refused = [
  ["nothing", [], "protocolViolation"],
  ["length-zero", ["00"], "protocolViolation"],
  ["length-257", [hex("81 02 08 01")], "protocolViolation"],
  ["length-of-five-bytes", [hex("ff ff ff ff 0f")], "protocolViolation"],
  ["no-result", [hex("04 08 01 18 80")], "protocolViolation"],
  ["no-payload-bytes", [hex("04 08 01 18 01")], "protocolViolation"],
  ["payload-within-the-result", [hex("05 08 01 52 01 c3")], "protocolViolation"],
  ["more-than-it-says", [text, "00"], "protocolViolation"],
  ["end-within-the-result", [text.slice(0, 8)], "protocolViolation"],
  ["end-within-the-payload", [text.slice(0, -2)], "protocolViolation"],
  ["payload-over-the-limit", [hex("05 08 01 58 e9 07")], "limitExceeded", ["sluice/9/1"]],
];

export const cases = [
  ...good.map(([name, chunks, output]) => ({
    ...{ id: `result-stream/decode/${name}`, shows: [], op: "result-stream.decode" },
    ...{ input: { chunks, maxResultBytes: 1000 }, output },
  })),
  ...refused.map(([name, chunks, error, shows = []]) => ({
    ...{ id: `result-stream/refuse/${name}`, shows: ["sluice/7.4/2", ...shows], op: "result-stream.decode" },
    ...{ input: { chunks, maxResultBytes: 1000 }, error },
  })),
  ...[
    ["spec-example", { ...example, payloadBytes: undefined }, "a26f6b", text],
    ["large", { ...large, payloadBytes: undefined }, filling, largeText + filling],
  ].map(([name, { payloadBytes: _, ...result }, payload, output]) => ({
    ...{ id: `result-stream/encode/${name}`, shows: [], op: "result-stream.encode" },
    ...{ input: { result, payload }, output: { hex: output } },
  })),
];
