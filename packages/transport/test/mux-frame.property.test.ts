import {
  decodeMuxFrame,
  encodeMuxFrame,
  type MuxFrame,
  MuxSession,
  MuxViolation,
  VIOLATION_CLOSE_CODE,
} from "@sluice/transport";
import fc from "fast-check";
import t from "tap";
import { MemoryChannel } from "./memory-channel.js";

const seed = Number(process.env.SLUICE_SEED ?? 20_261_123);
t.comment(`seed ${seed} (SLUICE_SEED)`);

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const count = fc.integer({ min: 1, max: 0xffff_ffff });
const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
const kind = fc.constantFrom("bidirectional" as const, "unidirectional" as const);

function anyFrame(stream: fc.Arbitrary<number>): fc.Arbitrary<MuxFrame> {
  return fc.oneof(
    fc.record({ type: fc.constantFrom("open" as const, "fin" as const), stream }),
    fc.record({ type: fc.constant("data" as const), stream, bytes }),
    fc.record({ type: fc.constantFrom("reset" as const, "stop" as const), stream, code: u32 }),
    fc.record({ type: fc.constant("stream-credit" as const), stream, bytes: count }),
    fc.record({ type: fc.constant("session-credit" as const), bytes: count }),
    fc.record({ type: fc.constant("open-credit" as const), kind, count }),
    fc.record({
      type: fc.constant("close" as const),
      code: u32,
      reason: fc.string({ unit: "grapheme", maxLength: 60 }),
    }),
  );
}

t.test("frames come back", async (t) => {
  let runs = 0;
  fc.assert(
    fc.property(anyFrame(u32), (frame) => {
      runs += 1;
      const decoded = decodeMuxFrame(encodeMuxFrame(frame));
      if (decoded.type === "data" && frame.type === "data") {
        return decoded.stream === frame.stream && Buffer.compare(decoded.bytes, frame.bytes) === 0;
      }
      return JSON.stringify(sorted(decoded)) === JSON.stringify(sorted(frame));
    }),
    { seed, numRuns: 2000 },
  );
  t.equal(runs, 2000);
});

t.test("any bytes decode to a frame that encodes to them, or are refused", async () => {
  const likely = fc
    .tuple(fc.integer({ min: 0, max: 10 }), fc.uint8Array({ maxLength: 20 }))
    .map(([type, rest]) => Uint8Array.of(type, ...rest));
  fc.assert(
    fc.property(fc.oneof(likely, fc.uint8Array({ maxLength: 40 })), (message) => {
      let frame: MuxFrame;
      try {
        frame = decodeMuxFrame(message);
      } catch (error) {
        return error instanceof MuxViolation;
      }
      return Buffer.compare(encodeMuxFrame(frame), message) === 0;
    }),
    { seed, numRuns: 20_000 },
  );
});

t.test("any frames in any order leave a session open, or end it with the code for violations", async (t) => {
  const ids = fc.oneof(fc.integer({ min: 0, max: 11 }), u32);
  let violations = 0;
  fc.assert(
    fc.property(fc.array(anyFrame(ids), { maxLength: 40 }), (frames) => {
      const channel = new MemoryChannel();
      const session = new MuxSession(channel, "server");
      session.onBidirectional(({ send, receive }) => {
        send.write(new Uint8Array(10)).catch(() => {});
        receive.read().catch(() => {});
      });
      for (const frame of frames) channel.deliver(encodeMuxFrame(frame));
      const closed = channel.closedWith;
      if (closed?.code === VIOLATION_CLOSE_CODE) violations += 1;
      return closed === undefined || closed.code === VIOLATION_CLOSE_CODE || closed.code === 1000;
    }),
    { seed, numRuns: 3000 },
  );
  t.ok(violations > 1000, `${violations} of 3,000 runs ended with a violation`);
});

function sorted(frame: object): [string, unknown][] {
  return Object.entries(frame).sort(([a], [b]) => (a < b ? -1 : 1));
}
