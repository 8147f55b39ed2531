import { maxSlicePayloadBytes, type OutgoingFrame, type OutgoingSlice } from "@sluice/protocol";
import t from "tap";
import { decodeDatagram } from "#src/datagram.js";
import { maxSendBufferBytes } from "#src/limits.js";
import { createSendBuffer, type SendBuffer } from "#src/send-buffer.js";
import { sliceHeaderBytes } from "#src/slice-header.js";
import { createIntegers } from "./integers.js";
import { sliceBytes } from "./virtual-session.js";

const maxBytes = 1_200;

function frameOf(
  frame: number,
  slices: readonly OutgoingSlice[],
  more: Partial<OutgoingFrame> = {},
): OutgoingFrame {
  return { stream: 1, frame, capturedMs: 0, expiresAtMs: 1_000, slices, split: undefined, ...more };
}

/** Everything that the buffer sends now, in datagrams. */
function drain(buffer: SendBuffer, nowMs = 10, size = maxBytes, firstSequence = 0) {
  const datagrams: { bytes: number; slices: ReturnType<typeof decodeDatagram>["slices"] }[] = [];
  for (let sequence = firstSequence; ; sequence++) {
    const dst = new Uint8Array(size);
    const end = buffer.fill(dst, 0, size, sequence, nowMs);
    if (end === 0) return datagrams;
    datagrams.push({ bytes: end, slices: decodeDatagram(dst.slice(0, end)).slices });
  }
}

t.test("datagrams are full while there is data, and the tail leaves at once", async (t) => {
  const buffer = createSendBuffer();
  const bytes = Uint8Array.from({ length: 401_408 }, (_, i) => i);
  buffer.push(frameOf(70_000, sliceBytes(bytes, maxSlicePayloadBytes(maxBytes))));
  const datagrams = drain(buffer, 10, maxBytes, 300_000);
  t.equal(datagrams.length, Math.ceil(bytes.length / maxSlicePayloadBytes(maxBytes)));
  t.ok(datagrams.every((datagram) => datagram.slices.length === 1 && datagram.bytes <= maxBytes));
  t.same(Buffer.concat(datagrams.map(({ slices }) => slices[0]!.payload)), Buffer.from(bytes));
  t.match(datagrams[1]?.slices[0]?.header, {
    frame: 70_000,
    ageMs: 10,
    sequence: 300_001,
    payloadBytes: undefined,
  });
  t.equal(buffer.bytes, 0);
  t.equal(buffer.nextTimeoutMs(), Number.POSITIVE_INFINITY);
});

t.test("headers take at most 2 % of a datagram of 1,200 bytes", async (t) => {
  // Up to 19 hours at 30 frames per second, 16,384 slices, and 2^28 datagrams.
  const numbers = [
    { frame: 100, sequence: 1_000, slices: 4 },
    { frame: 100_000, sequence: 1_000_000, slices: 342 },
    { frame: (1 << 21) - 1, sequence: (1 << 28) - 2, slices: 1_000 },
  ];
  for (const { frame, sequence, slices } of numbers) {
    const buffer = createSendBuffer();
    const payload = new Uint8Array(maxSlicePayloadBytes(maxBytes));
    const parts = Array.from({ length: slices }, (_, index) => ({ index, count: slices, payload }));
    buffer.push(frameOf(frame, parts, { stream: 16_383, capturedMs: -9_000 }));
    const [first] = drain(buffer, 0, maxBytes, sequence);
    const header = first!.slices[0]!.header;
    const overhead = 1 + sliceHeaderBytes(header);
    t.equal(first!.bytes, payload.length + overhead);
    t.ok(overhead <= 0.02 * maxBytes, `${overhead} bytes at frame ${frame}`);
  }
});

t.test("small tensors share a datagram, each slice but the last with its length", async (t) => {
  const buffer = createSendBuffer();
  for (let frame = 0; frame < 5; frame++) {
    buffer.push(frameOf(frame, [{ index: 0, count: 1, payload: new Uint8Array(100).fill(frame) }]));
  }
  const [datagram, ...others] = drain(buffer);
  t.equal(others.length, 0);
  t.same(
    datagram?.slices.map(({ header, payload }) => [
      header.frame,
      header.payloadBytes,
      header.sequence,
      payload[0],
    ]),
    [
      [0, 100, 0, 0],
      [1, 100, undefined, 1],
      [2, 100, undefined, 2],
      [3, 100, undefined, 3],
      [4, undefined, undefined, 4],
    ],
  );
});

t.test("the tail of one tensor and the head of the next share a datagram where both fit", async (t) => {
  const buffer = createSendBuffer();
  buffer.push(frameOf(0, sliceBytes(new Uint8Array(1_500), 1_000)));
  buffer.push(frameOf(1, sliceBytes(new Uint8Array(900), 300)));
  const frames = drain(buffer).map(({ slices }) => slices.map(({ header }) => header.frame));
  t.same(frames, [[0], [0, 1], [1, 1]]);
});

t.test(
  "any mix of sizes arrives whole and in order, behind whatever stands in the datagram before",
  async (t) => {
    const seed = 7;
    t.comment(`seed ${seed}`);
    const integers = createIntegers(seed);
    for (let round = 0; round < 300; round++) {
      const buffer = createSendBuffer();
      const size = integers.between(60, 1_400);
      const sent: Buffer[] = [];
      for (let frame = 0; frame < integers.between(1, 6); frame++) {
        const payloads = Array.from({ length: integers.between(1, 6) }, () =>
          integers.bytes(integers.between(0, size - 24)),
        );
        sent.push(...payloads.map((payload) => Buffer.concat([Buffer.of(frame), payload])));
        const slices = payloads.map((payload, index) => ({ index, count: payloads.length, payload }));
        buffer.push(frameOf(frame, slices));
      }
      const received: Buffer[] = [];
      const dst = new Uint8Array(size);
      for (let empty = 0, sequence = 0; empty < 2; sequence++) {
        // A message takes part of every second datagram; a slice that no longer fits waits for the next.
        const offset = sequence % 2 ? 20 : 0;
        dst.set(
          [0, 18, 0x6a, 16, 0x08, 1, ...new Array<number[]>(7).fill([0x10, 1]).flat()].slice(0, offset),
        );
        const end = buffer.fill(dst, offset, size, sequence, 0);
        empty = end === offset ? empty + 1 : 0;
        for (const { header, payload } of decodeDatagram(dst.slice(0, end)).slices) {
          received.push(Buffer.concat([Buffer.of(header.frame), payload]));
        }
      }
      if (!Buffer.concat(sent).equals(Buffer.concat(received)) || buffer.bytes !== 0)
        t.fail(`round ${round}`);
    }
    t.pass("300 rounds");
  },
);

t.test("a slice that is too large for the path is split, or its frame is given up", async (t) => {
  const buffer = createSendBuffer();
  const slices = sliceBytes(new Uint8Array(2_000).fill(5), 1_000);
  const split: OutgoingFrame["split"] = ({ index, count, payload }, max) =>
    sliceBytes(payload, max).map((part) => ({
      ...{ index: index * part.count + part.index, count: count * part.count, payload: part.payload },
    }));
  const divisible = frameOf(1, slices, { split });
  const rigid = frameOf(2, slices);
  const useless = frameOf(3, slices, { split: () => [] });
  const stubborn = frameOf(4, slices, { split: (slice) => [slice] });
  for (const frame of [divisible, rigid, useless, stubborn]) buffer.push(frame);
  t.same(buffer.shed(0, 1_200), []);
  t.same(buffer.shed(0, 300), []);
  t.equal(buffer.bytes, 8_000);
  const sent: number[] = [];
  const shed: OutgoingFrame[] = [];
  for (let i = 0; i < 12; i++) {
    sent.push(
      ...drain(buffer, 0, 300).flatMap((datagram) => datagram.slices.map(({ payload }) => payload.length)),
    );
    shed.push(...buffer.shed(0, 300));
  }
  t.equal(
    sent.reduce((sum, size) => sum + size, 0),
    2_000,
  );
  t.ok(sent.every((size) => size <= 276));
  t.same(
    shed.map(({ frame }) => frame),
    [2, 3, 4],
  );
  t.equal(buffer.bytes, 0);
});

t.test("a slice that the numbers in its header make too large is split too", async (t) => {
  const buffer = createSendBuffer();
  const count = 1 << 20;
  const payload = new Uint8Array(maxSlicePayloadBytes(maxBytes)).fill(3);
  const split: OutgoingFrame["split"] = (slice, max) =>
    sliceBytes(slice.payload, max).map((part) => ({
      ...{
        index: slice.index * part.count + part.index,
        count: slice.count * part.count,
        payload: part.payload,
      },
    }));
  const slice = { index: count - 1, count, payload };
  buffer.push(frameOf(0xffffffff, [slice], { stream: 16_383, capturedMs: -20_000, split }));
  t.same(drain(buffer, 0, maxBytes, 0xfffffff0), []);
  t.same(buffer.shed(0, maxBytes), []);
  const datagrams = drain(buffer, 0, maxBytes, 0xfffffff0);
  t.equal(datagrams.length, 2);
  t.equal(
    datagrams.reduce((sum, { slices }) => sum + slices[0]!.payload.length, 0),
    payload.length,
  );
});

t.test("what has expired is taken out, sent in part or not", async (t) => {
  const buffer = createSendBuffer();
  const slices = sliceBytes(new Uint8Array(3_000), 1_000);
  for (const [frame, expiresAtMs] of [
    [1, 50],
    [2, 40],
    [3, 60],
  ] as const) {
    buffer.push(frameOf(frame, slices, { expiresAtMs }));
  }
  buffer.fill(new Uint8Array(maxBytes), 0, maxBytes, 0, 0);
  t.equal(buffer.bytes, 8_000);
  t.equal(buffer.nextTimeoutMs(), 40);
  t.same(buffer.shed(39, maxBytes), []);
  t.same(
    buffer.shed(50, maxBytes).map(({ frame }) => frame),
    [2, 1],
  );
  t.equal(buffer.bytes, 3_000);
  t.same(new Set(drain(buffer).map(({ slices: [slice] }) => slice?.header.frame)), new Set([3]));
});

t.test("the frames of a closed stream are taken out", async (t) => {
  const buffer = createSendBuffer();
  const slices = sliceBytes(new Uint8Array(100), 1_000);
  buffer.push(frameOf(1, slices));
  buffer.push(frameOf(2, slices, { stream: 2 }));
  t.match(buffer.drop(1), [{ frame: 1 }]);
  t.same(buffer.drop(1), []);
  t.equal(buffer.bytes, 100);
});

t.test("a full buffer takes nothing more", async (t) => {
  const buffer = createSendBuffer();
  const payload = new Uint8Array(maxSendBufferBytes / 4);
  for (let frame = 0; frame < 4; frame++)
    t.equal(buffer.push(frameOf(frame, [{ index: 0, count: 1, payload }])), true);
  t.equal(buffer.push(frameOf(5, [{ index: 0, count: 1, payload: new Uint8Array(1) }])), false);
  t.equal(buffer.bytes, maxSendBufferBytes);
});

t.test("a frame without slices occupies nothing", async (t) => {
  const buffer = createSendBuffer();
  t.equal(buffer.push(frameOf(1, [])), false);
  t.same(drain(buffer), []);
  t.same(buffer.shed(0, maxBytes), []);
});
