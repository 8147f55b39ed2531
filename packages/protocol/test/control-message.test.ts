import { ErrorCode } from "@sluice/protocol";
import t from "tap";
import {
  createControlDecoder,
  decodeControl,
  encodeControl,
  encodeDelimitedControl,
} from "#src/control-message.js";
import { maxControlMessageBytes } from "#src/limits.js";

const stream = Buffer.concat([
  encodeDelimitedControl({ kind: "hello", body: { versions: [1, 2], agent: "test" } }),
  encodeDelimitedControl({ kind: "open", body: { stream: 3, codec: "raw", model: "m".repeat(200) } }),
  Buffer.of(0),
  encodeDelimitedControl({ kind: "resultAck", body: { stream: 3, frames: [1, 2, 300] } }),
]);
const expected = [
  { kind: "hello", body: { versions: [1, 2], agent: "test", token: new Uint8Array(0) } },
  { kind: "open", body: { stream: 3, codec: "raw", model: "m".repeat(200), deadlineMs: 0 } },
  { kind: "resultAck", body: { stream: 3, frames: [1, 2, 300] } },
];

t.test("messages come out whole wherever the stream is cut", async (t) => {
  for (let cut = 0; cut <= stream.length; cut++) {
    const decode = createControlDecoder();
    const messages = [...decode(stream.subarray(0, cut)), ...decode(stream.subarray(cut))];
    if (messages.length !== 3) t.fail(`cut at ${cut}: ${messages.length} messages`);
  }
  const bytewise = createControlDecoder();
  t.match(
    [...stream].flatMap((byte) => bytewise(Uint8Array.of(byte))),
    expected,
  );
  t.match(createControlDecoder()(stream), expected);
});

t.test("what waits for the rest does not depend on the caller's buffer", async (t) => {
  const decode = createControlDecoder();
  const chunk = Uint8Array.from(stream.subarray(0, 30));
  const first = decode(chunk);
  chunk.fill(0xff);
  t.match([...first, ...decode(stream.subarray(30))], expected);
});

t.test("a length over the limit is refused as soon as it is known", async (t) => {
  const violation = { code: ErrorCode.protocolViolation, message: /length is over 65536/ };
  t.throws(() => createControlDecoder()(Uint8Array.of(0x81, 0x80, 0x04)), violation);
  t.throws(() => createControlDecoder()(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)), violation);
  t.throws(() => createControlDecoder()(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff)), violation);
  const decode = createControlDecoder();
  t.same(decode(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), []);
  t.throws(() => decode(Uint8Array.of(0x7f)), violation);
});

t.test("the largest message is carried, a larger one is not made", async (t) => {
  const overhead = encodeControl({ kind: "drain", body: { reason: "x".repeat(65_000) } }).length - 65_000;
  const reason = "x".repeat(maxControlMessageBytes - overhead);
  const [message] = createControlDecoder()(encodeDelimitedControl({ kind: "drain", body: { reason } }));
  t.equal(message?.kind === "drain" && message.body.reason.length, reason.length);
  t.throws(() => encodeControl({ kind: "drain", body: { reason: `${reason}x` } }), {
    ...{ name: "RangeError", message: /^drain: 65537 bytes/ },
  });
});

t.test("the largest message in small chunks costs no more than a moment", async (t) => {
  const reason = "x".repeat(65_000);
  const bytes = encodeDelimitedControl({ kind: "drain", body: { reason } });
  const decode = createControlDecoder();
  const startMs = performance.now();
  const messages = Array.from(bytes, (byte) => decode(Uint8Array.of(byte))).flat();
  const tookMs = performance.now() - startMs;
  t.equal(messages.length, 1);
  t.comment(`${tookMs} ms; timings decide nothing, but the square of the chunks would not end in time`);
});

t.test("an unknown kind is skipped, unknown fields are ignored, garbage is refused", async (t) => {
  const unknownKind = Uint8Array.of(0xc2, 0x0c, 0x02, 0x08, 0x01);
  t.equal(decodeControl(unknownKind), undefined);
  const unknownField = Uint8Array.of(0x6a, 0x04, 0x08, 0x07, 0x10, 0x09);
  t.match(decodeControl(unknownField), { kind: "ping", body: { id: 7 } });
  const decode = createControlDecoder();
  const delimited = Uint8Array.of(unknownKind.length, ...unknownKind, unknownField.length, ...unknownField);
  t.match(decode(delimited), [{ kind: "ping", body: { id: 7 } }]);
  for (const garbage of [[0xff], [0x6a, 0x05, 0x08], [0x6e], [0x6a, 0x02, 0x0f, 0x01]]) {
    t.throws(() => decodeControl(Uint8Array.from(garbage)), { code: ErrorCode.protocolViolation });
  }
});

t.test("groups nested without end are refused and overflow no stack", async (t) => {
  const bytes = new Uint8Array(maxControlMessageBytes).fill(0x5b);
  t.throws(() => decodeControl(bytes), { code: ErrorCode.protocolViolation });
});
