import { ErrorCode, maxSlicePayloadBytes, type OutgoingSlice } from "@sluice/protocol";
import t from "tap";
import { encodeSliceItem, type ReceivedSlice } from "#src/datagram.js";
import { createTensorDecoder, encodeTensor } from "#src/tensor-framing.js";
import { createIntegers } from "./integers.js";

function slicesOf(sizes: readonly number[]): OutgoingSlice[] {
  return sizes.map((size, index) => ({
    index,
    count: sizes.length,
    payload: new Uint8Array(size).fill(index + 1),
  }));
}

function check(received: readonly ReceivedSlice[], sent: readonly OutgoingSlice[]): boolean {
  return (
    received.length === sent.length &&
    received.every(({ header, payload }, i) => {
      const { index, count, payload: expected } = sent[i]!;
      return header.index === index && header.count === count && Buffer.compare(payload, expected) === 0;
    })
  );
}

t.test("a tensor comes out of its stream however it is cut", async (t) => {
  const seed = 3;
  t.comment(`seed ${seed}`);
  const integers = createIntegers(seed);
  const sent = slicesOf([10, 0, 300, 1, 128, 127]);
  const bytes = encodeTensor(9, 1_000, sent, 42);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const decoder = createTensorDecoder(1_000);
    const received = [...decoder.decode(bytes.slice(0, cut)), ...decoder.decode(bytes.slice(cut))];
    if (!check(received, sent) || decoder.heldBytes !== 0) t.fail(`cut at ${cut}`);
  }
  for (let round = 0; round < 200; round++) {
    const decoder = createTensorDecoder(300);
    const received: ReceivedSlice[] = [];
    for (let at = 0; at < bytes.length; ) {
      const next = Math.min(bytes.length, at + integers.between(0, 60));
      received.push(...decoder.decode(bytes.slice(at, next)));
      at = next;
    }
    if (!check(received, sent)) t.fail(`round ${round}`);
  }
  const { header } = createTensorDecoder(300).decode(bytes)[0]!;
  t.match(header, { stream: 9, frame: 1_000, ageMs: 42, sequence: undefined, payloadBytes: 10 });
});

t.test("a slice of a megabyte in small chunks costs no more than its bytes", async (t) => {
  const bytes = encodeTensor(1, 1, slicesOf([1 << 20]), 0);
  const decoder = createTensorDecoder(1 << 20);
  const startMs = performance.now();
  let slices = 0;
  for (let at = 0; at < bytes.length; at += 64) slices += decoder.decode(bytes.slice(at, at + 64)).length;
  t.equal(slices, 1);
  t.comment(`${performance.now() - startMs} ms`);
});

t.test("the age of a frame is told as far as two bytes reach", async (t) => {
  const [slice] = createTensorDecoder(10).decode(encodeTensor(1, 1, slicesOf([1]), 1e9));
  t.equal(slice?.header.ageMs, 16_383);
});

t.test("a slice over the limit is refused before its bytes come", async (t) => {
  const bytes = encodeTensor(1, 1, slicesOf([1_001]), 0);
  const limit = { code: ErrorCode.limitExceeded, message: /over 1000 bytes/ };
  t.throws(() => createTensorDecoder(1_000).decode(bytes.slice(0, 20)), limit);
  // Without a length nothing could be cut from a stream that may be reset.
  const open = new Uint8Array(20);
  const header = {
    stream: 1,
    frame: 1,
    index: 0,
    count: 1,
    ageMs: 0,
    payloadBytes: undefined,
    sequence: undefined,
  };
  const end = encodeSliceItem(open, 0, header, Uint8Array.of(1, 2, 3));
  t.throws(() => createTensorDecoder(1_000).decode(open.subarray(0, end)), limit);
});

t.test("what is no slice is refused", async (t) => {
  const violation = { code: ErrorCode.protocolViolation, message: /not a slice header/ };
  t.throws(() => createTensorDecoder(100).decode(Uint8Array.of(0, 1, 2)), violation);
  t.throws(() => createTensorDecoder(100).decode(Uint8Array.of(65)), violation);
  t.throws(() => createTensorDecoder(100).decode(Uint8Array.of(3, 0x20, 0x01, 0x30)), {
    code: ErrorCode.malformedDatagram,
  });
});

t.test("what is held is counted", async (t) => {
  const decoder = createTensorDecoder(1_000);
  const bytes = encodeTensor(1, 1, slicesOf([500, 500]), 0);
  decoder.decode(bytes.slice(0, 100));
  t.equal(decoder.heldBytes, 100);
  decoder.decode(bytes.slice(100));
  t.equal(decoder.heldBytes, 0);
});

t.test("the payload that fits a datagram leaves room for the header, 2 % of 1,200 bytes", async (t) => {
  t.equal(maxSlicePayloadBytes(1_200), 1_176);
  t.equal(maxSlicePayloadBytes(24), 0);
  t.equal(maxSlicePayloadBytes(0), 0);
});
