/** Streams side by side in the send buffer (spec 3.6): shares, order, and what it costs. */
import type { OutgoingFrame, OutgoingSlice } from "@sluice/protocol";
import t from "tap";
import { decodeDatagram, sliceItemBytes } from "#src/datagram.js";
import { createSendBuffer, type SendBuffer } from "#src/send-buffer.js";
import { streamWeight } from "#src/tensor-stream.js";
import { createIntegers } from "./integers.js";
import { createVirtualSession, sliceBytes, streamOptions } from "./virtual-session.js";

const maxBytes = 1_200;

function frameOf(
  stream: number,
  frame: number,
  slices: readonly OutgoingSlice[],
  urgency = 3,
): OutgoingFrame {
  return { stream, frame, capturedMs: 0, expiresAtMs: 1_000, slices, split: undefined, urgency };
}

/** So many slices of so many bytes. */
function slicesOf(count: number, size: number): OutgoingSlice[] {
  const payload = new Uint8Array(size);
  return Array.from({ length: count }, (_, index) => ({ index, count, payload }));
}

function fillOne(buffer: SendBuffer, sequence: number, offset = 0) {
  const dst = new Uint8Array(maxBytes);
  const end = buffer.fill(dst, offset, maxBytes, sequence, 10);
  return { bytes: end - offset, slices: decodeDatagram(dst.slice(offset, end)).slices };
}

t.test(
  "streams that always have something get bytes by their urgency, whatever their slices' sizes",
  async (t) => {
    for (let seed = 1; seed <= 40; seed++) {
      const integers = createIntegers(seed);
      const buffer = createSendBuffer();
      const streams = Array.from({ length: integers.between(2, 40) }, (_, i) => ({
        ...{
          alias: i + 1,
          urgency: integers.between(0, 7),
          size: integers.between(1, maxBytes - 24),
          sent: 0,
        },
      }));
      for (const { alias, urgency, size } of streams) {
        for (let frame = 0; frame < 20; frame++) {
          const slices = slicesOf(integers.between(1, 100), size);
          if (!buffer.push(frameOf(alias, frame, slices, urgency))) t.fail(`seed ${seed}: it is full`);
        }
      }
      let worst = 0;
      let datagrams = 0;
      const ends = new Map<number, number>();
      run: for (let sequence = 0; sequence < 2_000; sequence++) {
        // A message takes part of some datagrams.
        const { slices } = fillOne(buffer, sequence, sequence % 5 === 4 ? integers.between(0, 600) : 0);
        for (const { header, payload } of slices) {
          const stream = streams[header.stream - 1]!;
          stream.sent += sliceItemBytes({ ...header, payloadBytes: payload.length }, payload.length);
          const last = ends.get(header.stream) ?? -1;
          if (header.frame < last) t.fail(`seed ${seed}: a frame overtook an earlier one of its stream`);
          ends.set(header.stream, header.frame);
          // With its last frame begun, it may soon have nothing more.
          if (header.frame === 19) break run;
        }
        datagrams++;
        for (const a of streams) {
          for (const b of streams) {
            const [wa, wb] = [streamWeight(a.urgency), streamWeight(b.urgency)];
            // Start-time fair queueing keeps each pair within one slice each; a datagram's rest adds a datagram.
            worst = Math.max(worst, Math.abs(a.sent / wa - b.sent / wb) / (2 * maxBytes * (1 / wa + 1 / wb)));
          }
        }
      }
      t.ok(
        datagrams > 20 && worst <= 1,
        `seed ${seed}: ${streams.length} streams, ${datagrams} datagrams, ${worst.toFixed(2)} of the bound`,
      );
    }
  },
);

t.test("a long frame delays a small one of any urgency by no more than a datagram", async (t) => {
  for (const urgency of [0, 3, 7]) {
    const buffer = createSendBuffer();
    const long = Array.from({ length: 4 }, (_, i) => i + 1);
    for (const stream of long) buffer.push(frameOf(stream, 0, slicesOf(2_000, 1_176)));
    for (let sequence = 0; sequence < 200; sequence++) fillOne(buffer, sequence);
    buffer.push(frameOf(9, 0, slicesOf(1, 500), urgency));
    const order: number[] = [];
    for (let sequence = 200; sequence < 210; sequence++) {
      order.push(...fillOne(buffer, sequence).slices.map(({ header }) => header.stream));
    }
    // Those of its time or before go first; the most urgent goes before all of its time.
    t.ok(
      order.indexOf(9) >= 0 && order.indexOf(9) <= (urgency < 3 ? 0 : long.length),
      `${urgency}: ${order}`,
    );
  }
});

t.test("a stream that comes back after a pause neither owes nor owns anything", async (t) => {
  const buffer = createSendBuffer();
  buffer.push(frameOf(1, 0, slicesOf(5_000, 1_000)));
  buffer.push(frameOf(2, 0, slicesOf(10, 1_000)));
  let sequence = 0;
  while (sequence < 1_000) fillOne(buffer, sequence++);
  buffer.push(frameOf(2, 1, slicesOf(2_000, 1_000)));
  let second = 0;
  for (let i = 0; i < 1_000; i++)
    second += Number(fillOne(buffer, sequence++).slices[0]!.header.stream === 2);
  t.ok(Math.abs(second - 500) <= 1, `${second} of 1,000 datagrams`);
});

t.test("what is left of a datagram goes to whoever fits, and is charged", async (t) => {
  const buffer = createSendBuffer();
  buffer.push(frameOf(1, 0, slicesOf(100, 700)));
  buffer.push(frameOf(2, 0, slicesOf(100, 400)));
  const first = Array.from({ length: 20 }, (_, sequence) => fillOne(buffer, sequence));
  t.ok(first.filter(({ bytes }) => bytes > 1_100).length >= 10, "datagrams are filled from both");
  const sent = [1, 2].map(
    (stream) => first.flatMap(({ slices }) => slices).filter(({ header }) => header.stream === stream).length,
  );
  t.ok(Math.abs(sent[0]! * 700 - sent[1]! * 400) <= 2 * maxBytes, `${sent} slices`);
});

t.test("what is shed of one stream leaves the others their turns", async (t) => {
  const buffer = createSendBuffer();
  buffer.push({ ...frameOf(1, 0, slicesOf(10, 1_000)), expiresAtMs: 5 });
  buffer.push(frameOf(2, 0, slicesOf(3, 1_000)));
  buffer.push(frameOf(3, 0, slicesOf(3, 1_000)));
  t.equal(buffer.nextTimeoutMs(), 5);
  t.same(
    buffer.shed(5, maxBytes).map(({ stream }) => stream),
    [1],
  );
  t.same(
    buffer.drop(2).map(({ stream }) => stream),
    [2],
  );
  t.equal(buffer.bytes, 3_000);
  t.same(
    [0, 1, 2, 3].map((i) => fillOne(buffer, i).slices[0]?.header.stream),
    [3, 3, 3, undefined],
  );
  t.equal(buffer.bytes, 0);
});

t.test("the largest tensor is not looked at more often than it has slices, split or not", async (t) => {
  const count = 60_000;
  let reads = 0;
  const slices = new Proxy(slicesOf(count, 1_100), {
    get(target, key, receiver) {
      if (typeof key === "string" && /^\d+$/.test(key)) reads++;
      return Reflect.get(target, key, receiver) as unknown;
    },
  });
  const buffer = createSendBuffer();
  const split: OutgoingFrame["split"] = ({ index, count: of, payload }, max) =>
    sliceBytes(payload, max).map((part) => ({
      ...{ index: index * part.count + part.index, count: of * part.count, payload: part.payload },
    }));
  buffer.push({ ...frameOf(1, 0, slices), split });
  const startMs = performance.now();
  let sent = 0;
  const dst = new Uint8Array(maxBytes);
  for (let sequence = 0; buffer.bytes > 0; sequence++) {
    // The path shrinks below the slices after the first half.
    const size = sequence < count / 2 ? maxBytes : 600;
    if (buffer.shed(0, size).length > 0) t.fail(`datagram ${sequence}: the frame was given up`);
    buffer.nextTimeoutMs();
    const end = buffer.fill(dst, 0, size, sequence, 10);
    if (end > 0) sent++;
  }
  t.equal(sent, count / 2 + (count / 2) * 2);
  t.ok(reads < 20 * count, `${reads} reads`);
  t.comment(`${(performance.now() - startMs).toFixed(0)} ms`);
});

t.test("thousands of small frames that wait, expire and leave are each handled a few times", async (t) => {
  const integers = createIntegers(5);
  t.comment("seed 5");
  const buffer = createSendBuffer();
  const frames = 20_000;
  let reads = 0;
  const startMs = performance.now();
  for (let frame = 0; frame < frames; frame++) {
    const expiresAtMs = integers.between(100, 10_000);
    const entry = frameOf(1 + (frame % 64), frame, slicesOf(1, 60), integers.between(0, 7));
    buffer.push({
      ...entry,
      get expiresAtMs() {
        reads++;
        return expiresAtMs;
      },
    });
  }
  let sent = 0;
  let shed = 0;
  for (let nowMs = 0; nowMs < 10_001; nowMs += 10) {
    shed += buffer.shed(nowMs, maxBytes).length;
    buffer.nextTimeoutMs();
    sent += fillOne(buffer, nowMs).slices.length;
  }
  t.equal(sent + shed, frames);
  t.ok(shed > 1_000 && sent > 1_000, `${sent} sent, ${shed} shed`);
  t.equal(buffer.bytes, 0);
  t.ok(reads <= 2 * frames, "what is known of a frame is not asked again");
  t.comment(`${(performance.now() - startMs).toFixed(0)} ms`);
});

t.test(
  "urgency reaches the wire: of two streams that want the whole path the urgent one gets most",
  async (t) => {
    const path = { delayMs: 10, rateBitsPerSecond: 20_000_000, queueMs: 200 };
    const session = createVirtualSession({ seed: 3, up: path, down: path });
    const { client, clock } = session;
    const spec = { dtype: "uint8", shape: [60_000], layout: "any" } as const;
    const [calm, urgent] = [5, 1].map((urgency) =>
      client.openStream({ ...streamOptions, spec, urgency, deadlineMs: 5_000 }),
    );
    session.runUntil(300);
    for (const stream of [calm!, urgent!]) {
      const decision = client.offer(stream, clock.now(), clock.now());
      t.equal(decision.admitted, true);
      if (!decision.admitted) continue;
      const slices = sliceBytes(new Uint8Array(60_000), client.maxPayloadBytes(stream));
      client.submit(stream, decision.frame, slices, undefined, clock.now());
    }
    session.runUntil(2_000);
    const order = session.serverEvents
      .filter((event) => event.type === "frame")
      .map(({ frame }) => frame.stream);
    t.same(order, [urgent, calm], "although the calm one was first");
    t.match(
      session.serverEvents.filter(({ type }) => type === "stream-requested"),
      [{ options: { urgency: 5 } }, { options: { urgency: 1 } }],
    );
  },
);
