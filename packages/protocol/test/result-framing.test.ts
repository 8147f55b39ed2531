import fc from "fast-check";
import t from "tap";
import { ErrorCode } from "#src/error-code.js";
import { createIncomingResults } from "#src/incoming-results.js";
import { maxResultStreamBytes, maxResultStreams } from "#src/limits.js";
import { createResultDecoder, encodeResultStream } from "#src/result-framing.js";

const seed = 11;
const fields = {
  stream: 3,
  frame: 70_000,
  outcome: 1,
  stages: { decode: 7 },
  elements: 6,
  slicesReceived: 2,
};

function encode(payloadBytes: number): Uint8Array {
  return encodeResultStream({
    ...fields,
    payload: Uint8Array.from({ length: payloadBytes }, (_, i) => i % 251),
  });
}

t.test("a result comes whole however its bytes are cut, and is told of once", async (t) => {
  t.comment(`seed ${seed}`);
  const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 40 });
  const property = fc.property(fc.nat(3_000), cuts, (payloadBytes, sizes) => {
    const bytes = encode(payloadBytes);
    let headers = 0;
    const decoder = createResultDecoder(() => headers++);
    let told = 0;
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = sizes[i % sizes.length]!;
      if (decoder.decode(bytes.slice(at, at + size))) told++;
      at += size;
    }
    const result = decoder.finish();
    const isRight = result.payload.every((byte, i) => byte === i % 251);
    return (
      headers === 1 &&
      told === 1 &&
      isRight &&
      result.payload.length === payloadBytes &&
      result.frame === 70_000
    );
  });
  fc.assert(property, { seed, numRuns: 200 });
});

t.test("the size is looked at before a byte of the payload is kept", async (t) => {
  const bytes = encode(100);
  const decoder = createResultDecoder(({ payloadBytes }) => {
    throw new RangeError(`${payloadBytes}`);
  });
  t.throws(() => decoder.decode(bytes.subarray(0, 40)), { message: "100" });
});

for (const [name, bytes, end] of [
  ["a length of 0", Uint8Array.of(0), false],
  ["a result that is too long", Uint8Array.of(0x81, 0x02), false],
  ["a length that is no varint", new Uint8Array(5).fill(0xff), false],
  ["bytes that are no message", Uint8Array.of(2, 0x0f, 0xff), false],
  ["a payload within the result", Uint8Array.of(7, 8, 1, 16, 0, 0x52, 1, 9), false],
  ["more than it says", Uint8Array.of(...encode(3), 0), false],
  ["an end within the result", encode(3).subarray(0, 4), true],
  ["an end within the payload", encode(30).subarray(0, -1), true],
  ["nothing", new Uint8Array(0), true],
] as const) {
  t.test(`refused: ${name}`, async (t) => {
    const decoder = createResultDecoder(() => {});
    t.throws(
      () => {
        decoder.decode(bytes);
        if (end) decoder.finish();
      },
      { name: "ProtocolError", code: ErrorCode.protocolViolation },
    );
  });
}

t.test("one result is read for each frame that waits, the others are stopped", async (t) => {
  const waiting = new Map([[70_000, 1_000]]);
  const results = createIncomingResults((stream, frame) => (stream === 3 ? waiting.get(frame) : undefined));
  t.equal(results.take(0, encode(1_000).subarray(0, 500), 10), undefined);
  t.equal(results.take(1, encode(1_000), 10), ErrorCode.deadline, "a second one for the same frame");
  t.equal(results.finish(1, 11), undefined);
  t.throws(() => results.take(2, encode(1_001), 10), { code: ErrorCode.limitExceeded });
  t.equal(results.take(0, encode(1_000).subarray(500), 15), undefined);
  const finished = results.finish(0, 17);
  t.match(finished, { receiveMs: 7, result: { frame: 70_000 } });
  t.equal(results.heldBytes, 0);
  results.take(6, encode(1_000).subarray(0, 500), 18);
  waiting.clear();
  t.equal(results.take(6, encode(1_000).subarray(500, 600), 19), ErrorCode.deadline, "its frame has ended");
  t.equal(results.heldBytes, 0);
  t.equal(results.take(3, encode(10), 20), ErrorCode.deadline, "nobody waits for it any more");
  // The frame may be read again where its first stream was reset.
  waiting.set(70_000, 1_000);
  results.take(4, encode(1_000).subarray(0, 500), 20);
  results.drop(4);
  t.equal(results.take(5, encode(1_000), 21), undefined);
});

t.test("streams and their bytes are bounded", async (t) => {
  const results = createIncomingResults(() => maxResultStreamBytes);
  const begin = (id: number, frame: number, payloadBytes: number) =>
    results.take(id, encodeResultStream({ ...fields, frame, payload: new Uint8Array(payloadBytes) }), 0);
  for (let id = 0; id < maxResultStreams; id++) t.equal(begin(id, id, 10), undefined);
  t.equal(begin(99, 99, 10), ErrorCode.limitExceeded);
  results.drop(0);
  t.equal(begin(100, 100, maxResultStreamBytes - 1_000), undefined);
  results.drop(1);
  t.equal(begin(101, 101, 1_000), ErrorCode.limitExceeded);
  t.ok(results.heldBytes <= maxResultStreamBytes, `${results.heldBytes}`);
});
